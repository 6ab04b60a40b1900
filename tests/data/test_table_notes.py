"""Missing cells, labels and numbers that another program would change silently."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dltool.core.errors import DataError
from dltool.data.csv_file import CsvTable
from dltool.data.csv_table import csv_table
from dltool.data.table_notes import doubts, stand_ins

RNG = torch.Generator()


@pytest.fixture
def load(tmp_path: Path):
    def load(lines, **fields):
        path = tmp_path / "t.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return csv_table(RNG, path=str(path), target="y", **fields)

    return load


GAPS = ["a,b,c,y"] + [
    f"{'' if i in (3, 4) else f'{i}.5'},{'NA' if i == 4 else 'uv'[i % 2]},{i * i % 13},{i % 5}.5" for i in range(40)
]


@pytest.mark.parametrize(
    ("missing", "line"),
    [
        ("mean", "missing cells are filled (data.missing=mean): a (2), b (1)"),
        ("mode", "missing cells are filled (data.missing=mode): a (2), b (1)"),
        ("drop", "2 rows with a missing cell are dropped (data.missing=drop): a (2), b (1)"),
    ],
)
def test_the_missing_cells_of_each_column_are_counted(load, missing: str, line: str) -> None:
    assert line in load(GAPS, missing=missing).notes


@pytest.mark.parametrize("cell", ["None", "#N/A", "<NA>", "na", "NAN", "-nan", "--", ".", "#DIV/0!", "Missing"])
def test_texts_that_mean_missing_among_numbers(load, cell: str) -> None:
    lines = ["x,y"] + [f"{i}.5,{i * 7 % 5}.5" for i in range(30)]
    lines[5] = f"{cell},1.5"
    with pytest.raises(DataError, match="row 6, column x: the cell is missing"):
        load(lines)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("1e400", "1e400 is too large for float64"),
        ("1e39", "1e39 is too large for float32"),
        ("-", r"the cell is missing \(-\)"),
        ("Infinity", "'Infinity' is a text"),
    ],
)
def test_what_is_not_a_finite_number_is_refused(load, cell: str, message: str) -> None:
    lines = ["x,y"] + [f"{i}.5,{i * 7 % 5}.5" for i in range(30)]
    lines[5] = f"{cell},1.5"
    with pytest.raises(DataError, match=f"row 6, column x: {message}"):
        load(lines)


def test_numbers_beyond_float64(load) -> None:
    """Identifiers that float64 does not distinguish are refused as numbers and kept apart as classes."""
    large = [100000000000000001 + i % 2 for i in range(40)]
    with pytest.raises(DataError, match="100000000000000001 and 100000000000000002 are the same number"):
        load(["x,y"] + [f"{number},{i}.5" for i, number in enumerate(large)])
    raw = load(["x,y"] + [f"{i}.5,{number}" for i, number in enumerate(large)])
    assert set(raw.class_names) == {"100000000000000001", "100000000000000002"}
    exact = [1_700_000_000_000_000_000 + 1024 * i for i in range(40)]
    assert load(["x,y"] + [f"{number},{i}.5" for i, number in enumerate(exact)]).columns[0].categories is None


def test_labels_are_as_written_and_those_that_look_alike_are_named(load) -> None:
    labels = ["01", "1", "1.0", "True", "true", "caf\u00e9", "cafe\u0301", "x", "x "]
    raw = load(["a,y"] + [f"{i}.5,{labels[i % 9]}" for i in range(90)], kind="classes")
    assert set(raw.class_names) == {*labels[:8]}
    notes = "\n".join(raw.notes)
    assert "blanks around a label do not count: 'x ' is 'x'" in notes
    assert "01 and 1 and 1.0" in notes
    assert "True and true" in notes
    assert r"'cafe\u0301' and 'caf\xe9'" in notes


def test_inputs_that_contain_the_target_and_names_of_rows_are_said(load) -> None:
    lines = ["x,PatientID,copy,colour,y"]
    lines += [f"{i * 7 % 30},{900 + 3 * i},{'ab'[i % 2]},red,{'no' if i % 2 else 'yes'}" for i in range(30)]
    notes = load(lines).notes
    copied = "the input copy is the target in another column, which new rows may lack"
    assert f"{copied}; 'data.drop=[copy]' leaves it out" in notes
    assert "the input PatientID is another whole number in each row; 'data.drop=[PatientID]' leaves it out" in notes
    assert "the same in all rows: colour" in notes
    assert not any("x is" in note for note in notes)


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        (
            ["20240131", "", "20240201"],
            "column x: 20240131 is read as a whole number; data.dates=number reads it as a date",
        ),
        (["20240131", "20241301"], ""),
        (["90210", "01234"], "column x: 01234 is read as a number; 'data.categories=[x]' if it is a code"),
        (["0", "0.5", "10"], ""),
        (["1.250", "12.000"], "column x: 1.250 is read with a decimal point; data.thousands=point if it is not one"),
        (["1.250", "0.500"], ""),
    ],
)
def test_numbers_that_may_be_meant_otherwise_are_said(cells: list[str], note: str) -> None:
    table = CsvTable("t.csv", ("x",), [cells], range(2, len(cells) + 2))
    assert doubts(table, [0], "refuse") == ([note] if note else [])
    assert doubts(table, [0], "number") == ([note] if note and "dates" not in note else [])


@pytest.mark.parametrize(
    ("odd", "told"),
    [(-999, "-999"), (-9999.0, "-9999"), (999, "999"), (9.99e30, "9.99e+30"), (-32768, "-32768")],
)
def test_a_number_that_may_stand_for_missing_cells_is_named(load, odd: float, told: str) -> None:
    lines = ["a,x,y"] + [f"{i * i % 13},{odd if i % 9 == 0 else 10 + i * 7 % 31 / 2},{i % 5}.5" for i in range(40)]
    (note,) = [one for one in load(lines).notes if "stand for missing" in one]
    assert note == (
        f"may stand for missing cells: x: {told} (5 times; the others are 10 to 25); if so, leave these cells empty in "
        "the file"
    )


def test_the_target_s_numbers_may_stand_for_missing_cells(load) -> None:
    lines = ["a,y"] + [f"{i * i % 13},{-99 if i % 9 == 0 else 1 + i % 5}.0" for i in range(40)]
    assert any("the target: -99 (5 times" in one for one in load(lines, kind="numbers").notes)


@pytest.mark.parametrize(
    "cells",
    [
        [0, 1] * 20,
        [1, 2, 9] * 15,  # Codes.
        [*range(100), 99, 99, 99],  # The largest of many.
        [*np.linspace(2, 990, 50), 999, 999, 999],
        [*range(1900, 2025), 1999, 1999, 1999],
        [0] * 90 + [1, 2, 5, 40, 700],  # A long tail.
        [*np.exp(np.linspace(0, 12, 100))],
        [5, 6, 7, 8, -999, -999],  # Twice may be chance.
        [float("nan")] * 40,
    ],
)
def test_ordinary_columns_are_not(cells: list[float]) -> None:
    assert stand_ins({"x": np.array(cells, dtype=float)}) == []
