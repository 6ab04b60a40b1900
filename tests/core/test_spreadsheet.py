"""No cell that dltool writes is a formula."""

import csv
import io

import pytest

from dltool.core.spreadsheet import CsvWriter, as_cell


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=", "-x"])
def test_a_formula_becomes_a_text(text):
    assert as_cell(text) == (text if len(text) < 2 else f"'{text}")


@pytest.mark.parametrize("value", [-1, -0.5, "-0.5", "+3", "-1e-05", "-inf", "-", "a=b", "", None, True, "cat"])
def test_numbers_and_other_texts_are_unchanged(value):
    assert as_cell(value) == value


def test_rows_read_back():
    text = io.StringIO()
    CsvWriter(text).writerows([["=name", "b"], [-1.5, 'say "=x"']])
    assert list(csv.reader(io.StringIO(text.getvalue()))) == [["'=name", "b"], ["-1.5", 'say "=x"']]


def test_every_csv_passes_the_writer():
    from import_graph import PACKAGE

    users = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if "csv.writer(" in path.read_text()}
    assert users == {"core/spreadsheet.py"}
