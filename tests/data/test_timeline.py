"""A table of series: which column is the time, the order of its rows, where its windows end."""

import datetime as d
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from dltool.core.errors import DataError
from dltool.data.series import series
from dltool.data.series_data import SeriesData

DAYS = [(d.date(2020, 1, 1) + d.timedelta(days=i)).isoformat() for i in range(400)]
Load = Callable[..., SeriesData]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Prepares a table of some lines, which are named by the first one."""

    def prepare(lines: Sequence[str], **settings: Any) -> SeriesData:
        (tmp_path / "s.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        settings = {"path": str(tmp_path / "s.csv"), "window": 4, "target_scaling": "none", **settings}
        data = SeriesData(lambda rng: series(rng, **settings), scaling="none")
        data.prepare(0, torch.device("cpu"))
        return data

    return prepare


def numbered(days: Sequence[str]) -> list[str]:
    """A line for each day, with its number since the first one."""
    return ["date,v", *(f"{day},{DAYS.index(day)}" for day in days)]


def windows(data: SeriesData) -> list[list[float]]:
    """Each window with the values that follow it."""
    joined = [torch.cat([split.inputs[..., 0], split.targets], dim=1) for split in data.splits.values()]
    found: list[list[float]] = torch.cat(joined).tolist()
    return found


def test_the_newest_row_first_is_the_same_series(load: Load) -> None:
    data, again = load(numbered(DAYS)), load([numbered(DAYS)[0], *numbered(DAYS)[:0:-1]])
    for name in ("train", "val", "test"):
        assert torch.equal(data.splits[name].inputs, again.splits[name].inputs)
        assert torch.equal(data.splits[name].targets, again.splits[name].targets)
    assert again.splits["test"].targets.min() > again.splits["train"].targets.max()
    assert again.splits["test"].places[-1] == 3  # The row before the last day, in row 2.
    assert "the file begins with the newest rows: sorted by date" in again.notes
    assert not any("sorted" in note for note in data.notes)


def test_rows_in_any_order_are_sorted(load: Load) -> None:
    order = torch.randperm(400, generator=torch.Generator().manual_seed(0)).tolist()
    again = load(numbered([DAYS[i] for i in order]))
    assert torch.equal(again.splits["train"].inputs, load(numbered(DAYS)).splits["train"].inputs)
    assert "rows are not in order of time: sorted by date" in again.notes


def test_no_window_spans_missing_days(load: Load) -> None:
    data = load(numbered(DAYS[:100] + DAYS[250:]), horizon=2)
    assert all(row == [row[0] + step for step in range(6)] for row in windows(data))
    assert "1 step is not 1 day, and no window spans it: 2020-04-09 to 2020-09-07 (150 missing)" in data.notes
    spanning = load(numbered(DAYS[:100] + DAYS[250:]), horizon=2, gaps="ignore")
    assert len(windows(spanning)) > len(windows(data))


def test_a_time_that_occurs_twice_is_refused_with_its_rows(load: Load) -> None:
    with pytest.raises(DataError, match=r"rows 6 and 12 have the same time, date 2020-01-05; so have 1 more") as error:
        load(numbered([*DAYS[:10], *DAYS[4:6]]))
    assert error.value.hint is not None
    assert "data.time=none" in error.value.hint
    assert "data.group" not in error.value.hint


def test_two_series_in_a_file_are_found(load: Load) -> None:
    lines = ["shop,date,v", *(f"{shop},{day},{i}" for shop in (1, 2) for i, day in enumerate(DAYS))]
    with pytest.raises(DataError, match="rows 2 and 402 have the same time") as error:
        load(lines)
    assert error.value.hint is not None
    assert error.value.hint.startswith("data.group=shop if")


def test_windows_are_of_one_series_and_split_at_the_same_time(load: Load) -> None:
    """Rows of the second series are 1000 more; it begins later and ends with the first one."""
    rows = [(day, shop, i + shop) for i, day in enumerate(DAYS) for shop in (0, 1000) if i >= 100 or not shop]
    data = load(["date,shop,v", *(f"{day},{shop},{v}" for day, shop, v in rows)], group="shop")
    assert all(row == [row[0] + step for step in range(5)] for row in windows(data))
    targets = {name: split.targets % 1000 for name, split in data.splits.items()}
    assert targets["train"].max() == 279
    assert (targets["val"].min(), targets["val"].max()) == (280, 319)
    assert targets["test"].min() == 320
    assert data.sizes == {"train": 276 + 176, "val": 80, "test": 160}
    assert data.preprocessing.columns == ("v",)
    assert any("2 series by shop, of 300 to 400 rows; split at the same time for all" in note for note in data.notes)


def test_series_without_dates_are_split_each_by_itself(load: Load) -> None:
    rows = [("a", i) for i in range(100)] + [("b", i + 1000) for i in range(50)]
    data = load(["name,v", *(f"{name},{v}" for name, v in rows)], group="name")
    assert data.sizes == {"train": 66 + 31, "val": 10 + 5, "test": 20 + 10}
    assert any("split each in its own time" in note for note in data.notes)


def test_a_series_that_is_too_short_is_named(load: Load) -> None:
    lines = ["name,date,v", *(f"a,{day},1" for day in DAYS), *(f"b,{day},2" for day in DAYS[:3])]
    assert "without 5 rows in a row, and so without a window: b" in load(lines, group="name").notes
    with pytest.raises(DataError, match=r"has 20 rows, in 10 parts .* of at most 2, but data.window=4 .* need 5"):
        load(["date,v", *(f"{day},1" for i, day in enumerate(DAYS[:30]) if i % 3)])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({5: "n/b"}, r"row 7, column date: 'n/b' is not a time like 2020-01-01"),
        ({5: ""}, "row 7, column date: the time is missing"),
        ({5: "2020-02-30"}, "row 7, column date: '2020-02-30' is not a time like 2020-01-01"),
    ],
)
def test_a_cell_that_is_no_time_is_named(load: Load, cells: dict[int, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(["date,v", *(f"{cells.get(i, day)},{i}" for i, day in enumerate(DAYS))])
    assert load(["date,v", *(f"{cells.get(i, day)},{i}" for i, day in enumerate(DAYS))], time="none").sizes


def test_the_time_is_found_among_the_columns(load: Load) -> None:
    later = [*DAYS[3:], "2030-01-01", "2030-01-02", "2030-01-03"]
    rows = [f"{day},{other},{i}" for i, (day, other) in enumerate(zip(DAYS, later, strict=True))]
    assert load(["date,delivered,v", *rows]).choices["data.time"] == "date"
    with pytest.raises(DataError, match="the columns ordered and delivered both hold dates") as error:
        load(["ordered,delivered,v", *rows])
    assert error.value.hint is not None
    assert "data.time=ordered" in error.value.hint
    chosen = load(["ordered,delivered,v", *rows], time="delivered")
    assert chosen.choices["data.season"] == 7
    assert "data.time" not in chosen.choices  # It is set.


def test_numbers_are_the_time_only_by_their_name(load: Load) -> None:
    milliseconds = [1_600_000_000_000 + 60_000 * i for i in range(100)]
    rows = [f"{moment},{i % 7}" for i, moment in enumerate(milliseconds)]
    assert load(["open_time,v", *rows[::-1]]).choices["data.time"] == "open_time"
    unnamed = load(["x,v", *rows])
    assert unnamed.choices["data.time"] == "none"
    assert "column x rises by 60000 from row to row; data.time=x if it is the time" in unnamed.notes
    years = load(["year,month,v", *(f"{2000 + i // 12},{i % 12 + 1},{i}" for i in range(100))])
    assert years.choices["data.time"] == "none"  # It occurs twelve times.


def test_columns_of_the_time_are_joined(load: Load) -> None:
    hours = [d.datetime(2020, 1, 1) + d.timedelta(hours=i) for i in range(400)]
    apart = ["Date,Time,v", *(f"{hour:%d/%m/%Y},{hour:%H:%M},{i}" for i, hour in enumerate(hours))]
    with pytest.raises(DataError, match="rows 2 and 3 have the same time") as error:
        load(apart)
    assert error.value.hint is not None
    assert error.value.hint.startswith("'data.time=[Date,Time]' joins date and time of day")
    joined = load(apart, time=["Date", "Time"])
    assert "time Date Time: 01/01/2020 00:00 to 17/01/2020 15:00, one step is 1 hour" in joined.notes
    parts = ["year,month,day,hour,v", *(f"{hour:%Y,%m,%d,%H},{i}" for i, hour in enumerate(hours))]
    assert windows(load(parts, time=["year", "month", "day", "hour"])) == windows(joined)


def test_a_missing_name_of_a_series_is_refused(load: Load) -> None:
    with pytest.raises(DataError, match="row 3, column name: the name of the series is missing"):
        load(["name,v", "a,1", ",2"], group="name")


def test_business_days_are_taken_together(load: Load) -> None:
    work = [day for day in DAYS if d.date.fromisoformat(day).weekday() < 5 and day != "2020-05-01"]
    data = load(numbered(work))
    assert len(windows(data)) == len(work) - 4
    assert "business days are missing once, up to a week: holidays, which windows span" in data.notes


def test_years_of_two_digits(load: Load) -> None:
    """They can stand first, and a file of 1950 to 1980 is refused, since 50 is 2050."""
    days = [f"{day[2:4]}/{day[5:7]}/{day[8:]}" for day in DAYS]
    data = load(["date,v", *(f"{day},{i}" for i, day in enumerate(days))])
    assert any("20/01/01 to 21/02/03 in the years 2020 to 2021, one step is 1 day" in note for note in data.notes)
    assert all(row == [row[0] + step for step in range(5)] for row in windows(data))
    months = [f"01.{1 + i % 12:02}.{50 + i // 12}" for i in range(360)]
    for order in (1, -1):
        with pytest.raises(DataError, match=r"01\.12\.68 is read as the year 2068"):
            load(
                ["date,v", *(f"{month},{i}" for i, month in enumerate(months))][:1]
                + [f"{m},1" for m in months[::order]]
            )
    turned = [f"01.{1 + i % 12:02}.{(90 + i // 12) % 100:02}" for i in range(360)]  # 1990 to 2019.
    assert any("1990 to 2019" in note for note in load(["date,v", *(f"{month},1" for month in turned)]).notes)


@pytest.mark.parametrize("cell", ["1. Januar 2020", "1 janvier 2020", "enero de 2020", "01-Dez-20", "1 января 2020"])
def test_a_month_in_another_language_is_named(load: Load, cell: str) -> None:
    with pytest.raises(DataError, match="is not the English name of a month") as error:
        load(["date,v", *(f"{cell},{i}" for i in range(40))])
    assert error.value.hint == "write dates as 2024-12-31; data.time=none keeps the order of the file"
    data = load(["date,v", *(f"{cell},{i}" for i in range(40))], time="none")
    assert "not used: date" in data.notes


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        (
            ["year,month,v", *(f"{2000 + i // 12},{1 + i % 12},{i % 7}" for i in range(40))],
            "'data.time=[year,month]' if",
        ),
        (
            ["t,v", *(f"{i**1.5},{i % 7}" for i in range(40))],
            "column t rises from row to row; data.time=t if it is the",
        ),
        (["open_time,v", *(f"{i // 2},{i % 7}" for i in range(40))], "data.time=open_time if it is the time"),
        (["g,v", *(f"{'ab'[i // 20]},{i % 7}" for i in range(40))], "data.group=g if each value of the column g is a"),
        (["g,v", *(f"{'ab'[i % 2]},{i % 7}" for i in range(40))], "data.group=g if each value of the column g is a"),
        (["c,v", *(f"3,{i % 7}" for i in range(40))], "the same in all rows: c"),
    ],
)
def test_columns_that_can_be_something_else_are_named(load: Load, lines: list[str], note: str) -> None:
    assert any(note in line for line in load(lines).notes)


def test_columns_without_doubt_get_no_note(load: Load) -> None:
    notes = load(["w,v", *(f"{'ab'[i * i % 7 % 2]},{i % 7}" for i in range(40))]).notes
    assert not any("data.group" in note or "data.time=" in note for note in notes)


def test_a_number_beyond_float32_is_refused(load: Load) -> None:
    """Its forecasts and errors would be NaN."""
    with pytest.raises(DataError, match=r"row 12, column v: 1e39 is too large for float32"):
        load(["date,v", *(f"{day},{'1e39' if i == 10 else i}" for i, day in enumerate(DAYS))])


@pytest.mark.parametrize(("factor", "noted"), [(1000, True), (3, False)])
def test_series_of_different_sizes_are_noted(load: Load, factor: int, noted: bool) -> None:
    rows = [f"{day},{shop},{i % 7 * size}" for shop, size in (("a", 1), ("b", factor)) for i, day in enumerate(DAYS)]
    notes = load(["date,shop,v", *rows], group="shop").notes
    assert noted == any(
        "deviation of 2 in the series a and 2e+03 in b: one scaling is for all" in note for note in notes
    )
