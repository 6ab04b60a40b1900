"""Numbers are read as their column writes them, or refused where that is not certain."""

import datetime
import math
from pathlib import Path
from typing import Any

import pytest
import torch

import dltool
from dltool.core.errors import DataError
from dltool.data.csv_file import CsvTable
from dltool.data.notation import Notation, apply, rewritten
from dltool.data.series import series


def read(cells: list[str], decimal: Any = "auto", thousands: Any = "auto", dates: Any = "refuse") -> Any:
    """The rewritten cells, and the description of the notation."""
    table = CsvTable("t.csv", ("x",), [cells], range(2, len(cells) + 2))
    table, found = rewritten(table, [0], decimal, thousands, dates)
    return list(table.columns[0]), found["x"].describe() if found else ""


@pytest.mark.parametrize(
    ("cells", "numbers", "described"),
    [
        (["1.5", "-2", "", "NA", "1e3"], ["1.5", "-2", "", "NA", "1e3"], ""),
        (["1,5", "-2", "", "0,125"], ["1.5", "-2", "", "0.125"], "decimal comma"),
        (["1.234,50", "7,00"], ["1234.50", "7.00"], "decimal comma, thousands separated by a point"),
        (["1,234.50", "7.00"], ["1234.50", "7.00"], "thousands separated by a comma"),
        (["1,234,567", "12,000"], ["1234567", "12000"], "thousands separated by a comma"),
        (["1.234.567", "12.000"], ["1234567", "12000"], "decimal comma, thousands separated by a point"),
        (["1 234,5", "12\u202f000", "3\u00a0000"], ["1234.5", "12000", "3000"],
         "decimal comma, thousands separated by a space"),
        (["1'234.5", "12’000"], ["1234.5", "12000"], "thousands separated by an apostrophe"),
        (["$5", "-$1,200.50", "$ 3"], ["5", "-1200.50", "3"], "thousands separated by a comma, $ removed"),
        (["5 €", "1.200,50 €"], ["5", "1200.50"], "decimal comma, thousands separated by a point, € removed"),
        (["EUR 5.5", "EUR 7"], ["5.5", "7"], "EUR removed"),
        (["12 %", "3.5%"], ["12", "3.5"], "% removed"),
        (["(1,200.50)", "3.25"], ["-1200.50", "3.25"],
         "thousands separated by a comma, numbers in parentheses are negative"),
        (["(12.5)", "3"], ["-12.5", "3"], "numbers in parentheses are negative"),
        (["$(1,200.50)", "($3)", "$7"], ["-1200.50", "-3", "7"],
         "thousands separated by a comma, $ removed, numbers in parentheses are negative"),
        (["1.200,50-", "3,5"], ["-1200.50", "3.5"],
         "decimal comma, thousands separated by a point, numbers with a minus behind are negative"),
        (["−1,5", "2,5"], ["-1.5", "2.5"], "decimal comma, the sign − is a minus"),
        (["−1.5", "2"], ["-1.5", "2"], "the sign − is a minus"),
        (["1,5E+03", "2,25e-1"], ["1.5E+03", "2.25e-1"], "decimal comma"),
        (["12,34,567", "1,000"], ["1234567", "1000"], "thousands separated by a comma"),
        (["US$ 5.5", "US$ 7"], ["5.5", "7"], "US$ removed"),
        (["5 kg", "7.5 kg", "1,200 kg"], ["5", "7.5", "1200"], "thousands separated by a comma, kg removed"),
        (["5,5kg", "7 kg", "-3 kg", ""], ["5.5", "7", "-3", ""], "decimal comma, kg removed"),
        (["21.5 °C", "22 °C", "-3 °C"], ["21.5", "22", "-3"], "°C removed"),
        (["30 km/h", "50 km/h", "80 km/h"], ["30", "50", "80"], "km/h removed"),
        (["3 m²", "4 m²", "5 m²"], ["3", "4", "5"], "m² removed"),
        (["90 min", "45 min", "120 min"], ["90", "45", "120"], "min removed"),
        (["5,5 kr", "7 kr"], ["5.5", "7"], "decimal comma, kr removed"),
    ],
)  # fmt: skip
def test_a_notation_is_recognised(cells: list[str], numbers: list[str], described: str) -> None:
    assert read(cells) == (numbers, described)


@pytest.mark.parametrize(
    "cells",
    [
        ["red", "blue"],
        ["1.2.3", "1.10.0"],  # Versions.
        ["192.168.0.1", "10.0.0.1"],
        ["0171 123456", "030 90"],
        ["3-5", "6-8"],
        ["1,2,3", "4,5,6"],
        ["A1", "B2"],
        ["5 kg", "7 kg"],
        ["12a", "12b", "13a", "14"],  # House numbers.
        ["1st", "2nd", "3rd", "4th"],
        ["3 rooms", "1 room", "2 rooms"],
    ],
)
def test_what_is_no_number_is_left(cells: list[str]) -> None:
    assert read(cells) == (cells, "")


@pytest.mark.parametrize(
    ("cells", "message", "hint"),
    [
        (["1,234", "2,500"], "1,234 is 1.234 or 1234", "data.decimal=comma, or data.thousands=comma"),
        (["5 €", "5 $"], "the column x mixes units: 5 $ and 5 €", "write all cells alike, or 'data.categories=[x]'"),
        (["5 kg", "500 g", "7 kg"], "the column x mixes units: 5 kg and 500 g", "write all cells alike, or 'data.cat"),
        (["1.2k", "900", "3k"], "mixes units: 1.2k and 900", "write all cells alike"),
        (["1. Januar 2024", "2. März 2024"], "Januar is not the English name of a month", "'data.drop=[x]'"),
        (["5", "5 %", "7 %"], "mixes units", "write all cells alike"),
        (["2024-01-31", "2024-02-01"], "the column x holds dates, such as 2024-01-31", "data.dates=number"),
        (["31.1.2024", "1.2.2024"], "holds dates", "'data.drop=[x]' leaves them out"),
        (["12:30", "13:45"], "holds times, such as 12:30", "data.dates=number takes them as hours"),
        (["1 day, 2:03:04", "0:15:00"], "holds times", "data.dates=number takes them as hours"),
        (["2024-05", "2024-06"], "holds dates", "data.dates=number takes them as days since 1970"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(cells: list[str], message: str, hint: str) -> None:
    with pytest.raises(DataError) as caught:
        read(cells)
    assert message in str(caught.value)
    assert hint in str(caught.value.hint)


def test_settings_decide() -> None:
    assert read(["1,234"], decimal="comma") == (["1.234"], "decimal comma")
    assert read(["1,234"], thousands="comma") == (["1234"], "thousands separated by a comma")
    assert read(["1.234"]) == (["1.234"], "")
    assert read(["1.234"], decimal="comma") == (["1234"], "decimal comma, thousands separated by a point")


def test_a_cell_in_another_notation_stays_as_it_is() -> None:
    assert read(["1,5", "2,5", "3.25.1"])[0] == ["1.5", "2.5", "3.25.1"]


@pytest.mark.parametrize(
    "form", ["%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y", "%d %B %Y", "%d-%b-%y", "%d %b %Y %H:%M"]
)
@pytest.mark.parametrize("days", [(19723, 19790, 19844), (19844, 19845)])  # January, March and May of 2024; May.
def test_dates_with_names_of_months_are_dates(form: str, days: tuple[int, ...]) -> None:
    cells = [datetime.date.fromordinal(719163 + day).strftime(form) for day in days]
    with pytest.raises(DataError, match="the column x holds dates"):
        read(cells)
    assert list(map(float, read(cells, dates="number")[0])) == list(days)


def test_words_beside_numbers_are_no_dates() -> None:
    cells = ["12 Jars 2024", "1 market 99", "3 Decks 10", "2 mays 20"]
    assert read(cells) == (cells, "")


def test_dates_become_days() -> None:
    cells, described = read(["1970-01-02", "1970-01-01", ""], dates="number")
    assert [float(cell) for cell in cells[:2]] == [1, 0]
    assert (cells[2], described) == ("", "dates, as days since 1970")
    assert float(read(["1970-01-02 12:00"], dates="number")[0][0]) == 1.5
    assert read(["2024-01-31"], dates="categories") == (["2024-01-31"], "")
    with pytest.raises(DataError, match="day/month or as month/day"):
        read(["1/2/2024", "3/4/2024"], dates="number")
    assert math.isclose(float(read(["1/2/2024", "13/4/2024"], dates="number")[0][0]), 19754)


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["2024-02-01T10:00:00+02:00", "2024-02-01T10:00:00Z"], [19754 + 8 / 24, 19754 + 10 / 24]),
        (["2024-02-01 10:00:00 +0200", "2024-02-01 10:00:00 UTC"], [19754 + 8 / 24, 19754 + 10 / 24]),
        (["2024-02-01 10:00:00", "2024-02-01 10:00:00.5"], [19754 + 10 / 24, 19754 + (10 + 0.5 / 3600) / 24]),
        (["13-02-2024", "01-02-2024"], [19766, 19754]),
        (["13.02.24", "01.02.24"], [19766, 19754]),
        (["2/13/2024 3:45 PM", "2/1/2024 12:00 AM"], [19766 + 15.75 / 24, 19754]),
        (["2024-02", "2024-12"], [19754, 20058]),
        (["2024-Q1", "2024-Q2"], [19723, 19814]),
        (["Tue, 13 Feb 2024 00:00:00 +0000", "Thu, 01 Feb 2024 12:00:00 +0200"], [19766, 19754 + 10 / 24]),
    ],
)
def test_dates_of_any_notation_are_days(cells: list[str], days: list[float]) -> None:
    numbers, described = read(cells, dates="number")
    assert list(map(float, numbers)) == pytest.approx(days, abs=1e-9)
    assert described.startswith("dates, as days since 1970")
    assert ("UTC" in described) == ("+0" in "".join(cells))


def test_a_date_that_does_not_exist_is_named() -> None:
    with pytest.raises(DataError, match="are in no common format, such as 2024-02-30"):
        read(["2024-01-31", "2024-02-30", "2024-03-01"], dates="number")


def test_offsets_are_on_all_dates_or_on_none() -> None:
    with pytest.raises(DataError, match="are in no common format"):
        read(["2024-02-01T10:00:00+02:00", "2024-02-01T10:00:00"], dates="number")


def test_times_become_hours() -> None:
    cells = ["12:30", "01:15:36", "2:45 pm", "12:15 AM", "1 day, 2:00:00", "-1 days +23:30:00"]
    assert [float(cell) for cell in read(cells, dates="number")[0]] == [12.5, 1.26, 14.75, 0.25, 26, -0.5]
    cells = ["2h 30m", "45m", "1 hour, 15 minutes", "1d 2h", "PT2H15M", "P1DT36S", "90 min"]
    assert [float(cell) for cell in read(cells, dates="number")[0]] == [2.5, 0.75, 1.25, 26, 2.25, 24.01, 1.5]
    for texts in (
        ["90 min", "45 min"],
        ["5 d", "6 d"],
        ["PT", "P"],
        ["3 s", "red"],
    ):  # Numbers with one unit, and others.
        assert read(texts, dates="number") == (texts, "")
    assert read(["12:30"], dates="number")[1] == "times, as hours: 12:30 is 12.5"
    assert read(["12:30"], dates="categories") == (["12:30"], "")


def test_whole_numbers_that_are_days_are_numbers_unless_the_user_says_dates() -> None:
    assert read(["20240131", "20240201"]) == (["20240131", "20240201"], "")
    assert [float(cell) for cell in read(["20240131", "20240201"], dates="number")[0]] == [19753, 19754]
    assert read(["20240131", "20241301"], dates="number") == (["20240131", "20241301"], "")


def test_only_the_named_columns() -> None:
    table = CsvTable("t.csv", ("x", "y"), [["1,5"], ["1,5"]], [2])
    assert [list(c) for c in apply(table, {"y": Notation(",")}).columns] == [["1,5"], ["1.5"]]


GERMAN = "Fläche;Preis\n" + "".join(
    f"{i / 2:.1f};{1000 * i + 1500:,}\n".replace(",", "#").replace(".", ",").replace("#", ".") for i in range(1, 41)
)
PLAIN = "Fläche,Preis\n" + "".join(f"{i / 2:.1f},{1000 * i + 1500}\n" for i in range(1, 41))


def test_a_run_predicts_rows_as_its_table_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same numbers in two notations give the same training and, row by row, the same predictions."""
    monkeypatch.chdir(tmp_path)
    runs = {}
    for name, text in (("german", GERMAN), ("plain", PLAIN)):
        Path(f"{name}.csv").write_text(text, encoding="utf-8")
        words = ["model=linear", "data=csv", f"data.path={name}.csv", "data.target=Preis", "data.thousands=point"]
        words = words[:4] if name == "plain" else words
        dltool.train([*words, "trainer.steps=3", "logger.plots=false", f"run.dir={name}"], quiet=True)
        runs[name] = dltool.load(name).predict(f"{name}.csv").values
    assert torch.equal(torch.as_tensor(runs["german"]), torch.as_tensor(runs["plain"]))
    (row,) = dltool.load("german").predict([{"Fläche": 12.125}]).values
    assert row == dltool.load("plain").predict([{"Fläche": 12.125}]).values[0]  # Python's numbers, not 12,125.
    assert "decimal comma" in Path("german/log.txt").read_text(encoding="utf-8")


def test_an_unused_column_of_a_series_may_be_anything(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("v;price\n" + "".join(f"{i},5;{'5 €' if i % 2 else '5 $'}\n" for i in range(40)), encoding="utf-8")
    with pytest.raises(DataError, match="mixes units"):
        series(torch.Generator(), path=str(path), window=4)
    raw = series(torch.Generator(), path=str(path), window=4, columns=["v"])
    assert raw.train.inputs[0, :, 0].tolist() == [0.5, 1.5, 2.5, 3.5]
    assert raw.series is not None
    assert raw.series.notations == {"v": Notation(",")}


def test_units_are_read_alike_in_new_rows() -> None:
    notation = Notation(affix="kg")
    assert [notation.plain(cell) for cell in ("5 kg", "7kg", "8", "9 g")] == ["5", "7", "8", "9 g"]
