"""The step of a series, its season, and the times that continue it."""

import datetime as d

import numpy as np
import pytest

from dltool.data.moments import readings
from dltool.data.time_step import find_step

NEW_YEAR = d.datetime(2020, 1, 1)


def cells(step: d.timedelta, count: int = 40) -> list[str]:
    return [(NEW_YEAR + i * step).isoformat(" ") for i in range(count)]


def months(count: int, day: int) -> list[str]:
    """The n-th day of each month; 0 is the last day of the month before."""
    return [
        (d.date(2018 + i // 12, i % 12 + 1, 1) + d.timedelta(days=day - 1)).isoformat() for i in range(1, count + 1)
    ]


WORKDAYS = [str(day) for day in np.arange("2020-01-01", "2020-03-01", dtype="datetime64[D]") if np.is_busday(day)]


@pytest.mark.parametrize(
    ("times", "described", "season", "following"),
    [
        (cells(d.timedelta(hours=1)), "1 hour", 24, ["2020-01-02 16:00:00", "2020-01-02 17:00:00"]),
        (cells(d.timedelta(minutes=15)), "15 minutes", 96, ["2020-01-01 10:00:00", "2020-01-01 10:15:00"]),
        (cells(d.timedelta(seconds=10)), "10 seconds", 6, ["2020-01-01 00:06:40", "2020-01-01 00:06:50"]),
        ([text[:10] for text in cells(d.timedelta(days=1))], "1 day", 7, ["2020-02-10", "2020-02-11"]),
        ([text[:10] for text in cells(d.timedelta(days=7))], "1 week", 52, ["2020-10-07", "2020-10-14"]),
        (months(36, 1), "1 month", 12, ["2021-02-01", "2021-03-01"]),
        (months(36, 0), "1 month", 12, ["2021-01-31", "2021-02-28"]),
        (months(36, 15)[::3], "3 months", 4, ["2021-02-15", "2021-05-15"]),
        ([str(year) for year in range(1950, 1990)], "1 year", None, ["1990", "1991"]),
        (WORKDAYS, "1 business day", 5, ["2020-03-02", "2020-03-03"]),
        (["0.1", "0.2", "0.3", "0.4"], "0.1", None, ["0.5", "0.6"]),
    ],
)
def test_the_most_frequent_step_is_continued(
    times: list[str], described: str, season: int | None, following: list[str]
) -> None:
    form, moments = readings(times)[0]
    step = find_step(form, [moments])
    assert step is not None
    assert step.describe() == described
    assert step.season == season
    assert [form.write(step.after(moments[-1], count)) for count in (1, 2)] == following
    assert step.is_regular(np.diff(step.positions(moments))).all()


def test_a_gap_is_not_regular_and_a_holiday_is() -> None:
    days = [text[:10] for text in cells(d.timedelta(days=1))]
    form, moments = readings(days[:10] + days[11:])[0]
    step = find_step(form, [moments])
    assert step is not None
    assert np.flatnonzero(~step.is_regular(np.diff(step.positions(moments)))).tolist() == [9]
    form, moments = readings(WORKDAYS[:10] + WORKDAYS[12:20] + WORKDAYS[30:])[0]
    step = find_step(form, [moments])
    assert step is not None
    assert np.flatnonzero(~step.is_regular(np.diff(step.positions(moments)))).tolist() == [17]


def test_a_clock_that_is_not_exact_has_a_round_step() -> None:
    late = np.random.default_rng(0).integers(0, 20, 60)
    form, moments = readings([str(NEW_YEAR + d.timedelta(hours=i, seconds=int(s))) for i, s in enumerate(late)])[0]
    step = find_step(form, [moments])
    assert step is not None
    assert step.describe() == "1 hour"
    assert step.is_regular(np.diff(step.positions(moments))).all()


def test_one_row_has_no_step() -> None:
    form, moments = readings(["2020-01-01"])[0]
    assert find_step(form, [moments]) is None
