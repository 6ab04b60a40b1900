"""Times in the notations that files have: read as moments, and written back alike."""

import numpy as np
import pytest

from dltool.data.moments import as_datetimes, readings


@pytest.mark.parametrize(
    ("cells", "kind", "seconds"),
    [
        (["2020-01-01", "2020-01-02"], "iso", 86_400),
        (["2020-01-01 00:00", "2020-01-01 01:00"], "iso", 3600),
        (["2020-01-01T00:00:00Z", "2020-01-01T00:15:00Z"], "iso", 900),
        (["2020-01-01 08:00:00+08:00", "2020-01-01 08:00:01+08:00"], "iso", 1),
        (["2020-01-01T00:00:00.250000", "2020-01-01T00:00:00.500000"], "iso", 0.25),
        (["2024-W01", "2024-W02"], "iso", 7 * 86_400),
        (["31.01.2020", "01.02.2020"], "strptime", 86_400),
        (["12/31/2020 23:00", "01/01/2021 00:00"], "strptime", 3600),
        (["31/12/20", "01/01/21"], "strptime", 86_400),
        (["31-Jan-2020", "01-Feb-2020"], "strptime", 86_400),
        (["2020年01月31日", "2020年02月01日"], "strptime", 86_400),
        (["20200131", "20200201"], "strptime", 86_400),
        (["2020-01", "2020-02"], "strptime", 31 * 86_400),
        (["2020-Q1", "2020-Q2"], "quarter", 91 * 86_400),
        (["20200131T2345", "20200201T0000"], "iso", 900),
        (["20200131T234500", "20200131T234501"], "iso", 1),
        (["2024-W01-7", "2024-W02-1"], "iso", 86_400),
        (["202001", "202002"], "strptime", 31 * 86_400),
        (["2020013123", "2020020100"], "strptime", 3600),
        (["202001312345", "202002010000"], "strptime", 900),
        (["20200131234500", "20200131234501"], "strptime", 1),
        (["Q1 2020", "Q2 2020"], "quarter", 91 * 86_400),
        (["1999", "2000"], "year", 365 * 86_400),
        (["1600000000", "1600003600"], "unix", 3600),
        (["1600000000000", "1600000000001"], "unix", 0.001),
        (["1600000000000000000", "1600000001000000000"], "unix", 1),
    ],
)
def test_a_notation_is_read_and_written_back(cells: list[str], kind: str, seconds: float) -> None:
    [(form, moments)] = readings(cells)
    assert form.kind == kind
    assert (moments[1] - moments[0]) / 1e6 == seconds
    assert [form.write(moment) for moment in moments.tolist()] == cells


def test_plain_numbers_keep_their_unit() -> None:
    [(form, moments)] = readings(["0.5", "0.75"])
    assert not form.is_date
    assert moments.tolist() == [0.5, 0.75]
    assert list(as_datetimes(form, moments.tolist())) == [0.5, 0.75]
    assert form.write(1.0) == "1"


def test_daylight_saving_time_is_no_jump() -> None:
    [(form, moments)] = readings(["2024-10-27T02:00:00+02:00", "2024-10-27T02:00:00+01:00"])
    assert np.diff(moments).tolist() == [3_600_000_000]
    assert form.write(moments[1]) == "2024-10-27T02:00:00+01:00"
    assert next(as_datetimes(form, moments[1:].tolist())).hour == 2  # type: ignore[union-attr]


def test_dates_with_two_readings_give_both() -> None:
    assert {form.form for form, _ in readings(["01/02/2020", "01/03/2020"])} == {"%d/%m/%Y", "%m/%d/%Y"}
    assert [form.form for form, _ in readings(["01/02/2020", "13/02/2020"])] == ["%d/%m/%Y"]


def test_the_number_with_fewer_values_can_be_the_year() -> None:
    days = ["23/01/01", "23/01/02", "23/01/03"]
    assert {form.form for form, _ in readings(days)} == {"%d/%m/%y", "%y/%m/%d"}
    assert {form.form for form, _ in readings(["01/01/23", "02/01/23"])} == {"%d/%m/%y", "%m/%d/%y"}


@pytest.mark.parametrize("cells", [["day 1", "day 2"], ["2020-01-01", ""], ["2020-01-01", "2020-01-01T00:00Z"], []])
def test_what_is_no_time_has_no_reading(cells: list[str]) -> None:
    assert readings(cells) == []
