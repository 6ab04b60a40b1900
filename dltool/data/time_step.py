"""The step of a series in time: the most frequent difference, and what continues it."""

import calendar
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dltool.data.moments import EPOCH, MICROSECOND, TimeFormat

SECOND = 1_000_000  # Microseconds.
DAY = 86_400 * SECOND
TOLERANCE = 0.1  # Of a step: a clock that is not exact, and daylight saving time, make no gap.
FREQUENT, NEAR = 0.5, 0.02  # Shares of the differences, and of a step.
HOLIDAYS = 5  # Business days that may be missing in a row.
MONTH_DAYS = range(28, 32)
MONTH_END = 4  # The last days of a month, of which one is its last business day.
# The lengths of a step in seconds, with their names.
NAMES = {604_800: "week", 86_400: "day", 3600: "hour", 60: "minute", 1: "second"}


@dataclass(frozen=True)
class Step:
    """The time from one row to the next.

    Attributes:
        unit: The unit of `size`. "number" is that of the file's numbers.
        size: Months and business days are whole.
        month_end: Whether each row is at the end of its month.
    """

    unit: Literal["month", "business day", "second", "number"]
    size: float
    month_end: bool = False

    def describe(self) -> str:
        """Such as "15 minutes", "1 month"."""
        if self.unit == "number":
            return f"{self.size:.10g}"
        if self.unit == "month" and self.size % 12 == 0:
            return counted(self.size / 12, "year")
        if self.unit != "second":
            return counted(self.size, self.unit)
        length = next((length for length in NAMES if self.size % length == 0), 1)
        return counted(self.size / length, NAMES[length])

    @property
    def season(self) -> int | None:
        """Steps in the period in which such series usually repeat: a year of months, a week of days, a day of hours.

        A year has 52 weeks; seconds repeat in a minute. None where no period is usual, or it is no whole number of
        steps.
        """
        match self.unit:
            case "month":
                period = 12.0
            case "business day":
                period = 5.0
            case "second":
                periods = {604_800: 52 * 604_800, 86_400: 604_800}
                period = float(periods.get(int(self.size), 86_400 if self.size >= 60 else 60))
            case _:
                return None
        steps = period / self.size
        return int(steps) if steps == int(steps) and steps > 1 else None

    def after(self, moment: float, count: int) -> float:
        """The moment `count` steps later."""
        if self.unit == "number":
            return moment + count * self.size
        if self.unit == "second":
            return int(moment) + round(count * self.size * SECOND)
        day, clock = divmod(int(moment), DAY)
        if self.unit == "business day":
            later = np.busday_offset(np.datetime64(day, "D"), count * int(self.size), roll="backward")
            return int(later.astype(np.int64)) * DAY + clock
        date = EPOCH + datetime.timedelta(days=day)
        years, month = divmod(date.year * 12 + date.month - 1 + count * int(self.size), 12)
        length = calendar.monthrange(years, month + 1)[1]
        later_day = datetime.datetime(years, month + 1, length if self.month_end else min(date.day, length))
        return (later_day - EPOCH) // MICROSECOND + clock

    def is_regular(self, differences: np.ndarray) -> np.ndarray:
        """Whether each difference of `positions` is one step. Missing business days are holidays, up to a week."""
        if self.unit == "month":
            return np.asarray(differences == self.size)
        if self.unit == "business day":
            return np.asarray((differences >= 1) & (differences <= 1 + HOLIDAYS))
        return np.asarray(np.abs(differences - self.size) <= TOLERANCE * self.size)

    def positions(self, moments: np.ndarray) -> np.ndarray:
        """The moments in the unit of the step."""
        if self.unit == "number":
            return moments
        if self.unit == "second":
            return moments / SECOND
        dates = moments.astype("datetime64[us]")
        if self.unit == "month":
            return np.asarray(dates.astype("datetime64[M]").astype(np.int64))
        return np.asarray(np.busday_count(np.datetime64("1970-01-01"), dates.astype("datetime64[D]")))


def counted(size: float, unit: str) -> str:
    return f"{size:.10g} {unit}{'s' * (size != 1)}"


def find_step(form: TimeFormat, series: Sequence[np.ndarray]) -> Step | None:
    """The step of one or more series, the most frequent difference; None where no series has two rows.

    Args:
        form: The format of their times.
        series: The increasing moments of each.
    """
    differences = np.concatenate([np.diff(moments) for moments in series])
    if not len(differences):
        return None
    if not form.is_date:
        return Step("number", most_frequent(np.array([float(f"{value:.6g}") for value in differences])))
    shift = (form.offset or 0) * 60 * SECOND  # Days and months are those of the file's own clock.
    return calendar_step([moments + shift for moments in series], most_frequent(differences))


def calendar_step(series: Sequence[np.ndarray], microseconds: float) -> Step:
    """The step of dates whose most frequent difference is known."""
    moments = np.concatenate(series)
    dates = moments.astype("datetime64[us]")
    days, months = dates.astype("datetime64[D]"), dates.astype("datetime64[M]")
    place = (days - months.astype("datetime64[D]")).astype(np.int64)  # In its month, from 0.
    length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    distinct = all(len(np.unique(one.astype("datetime64[us]").astype("datetime64[M]"))) == len(one) for one in series)
    ends = bool((place >= length - MONTH_END).all())
    about = round(microseconds / DAY) in MONTH_DAYS
    if distinct and (len(np.unique(place)) == 1 or ends or about):
        differences = np.concatenate([np.diff(Step("month", 1).positions(one)) for one in series])
        return Step("month", int(most_frequent(differences)), month_end=ends)
    weekday = (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0.
    clock = len(np.unique(moments % DAY)) == 1
    over_weekends = any((np.diff(one) == 3 * DAY).any() for one in series)
    if microseconds == DAY and clock and over_weekends and (weekday < 5).all():
        return Step("business day", 1)
    return Step("second", snapped(np.concatenate([np.diff(one) for one in series]) / SECOND))


def snapped(seconds: np.ndarray) -> float:
    """The most frequent difference; if a clock that is not exact makes no difference frequent, a round number near."""
    frequent = most_frequent(seconds)
    if (seconds == frequent).mean() >= FREQUENT:
        return frequent
    middle = float(np.median(seconds))
    rounds = (float(round(middle / length) * length) for length in NAMES)
    near = next((number for number in rounds if number and abs(number - middle) <= NEAR * middle), frequent)
    return near if (np.abs(seconds - near) <= TOLERANCE * near).mean() >= FREQUENT else frequent


def most_frequent(values: np.ndarray) -> float:
    """The most frequent value; at a tie, the smallest."""
    distinct, counts = np.unique(values, return_counts=True)
    return float(distinct[counts.argmax()])
