"""The rows of a table in the order of their series and of time, with the places where a series is interrupted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dltool.core.errors import DataError
from dltool.data.cells import MISSING
from dltool.data.csv_file import CsvTable
from dltool.data.time_column import TimeColumn, place
from dltool.data.time_step import Step, find_step

NUM_SHOWN = 3
UNEVEN = 30  # Deviations of two series at this ratio: the squared errors of the smaller one are a thousandth.


@dataclass(frozen=True)
class Timeline:
    """Rows in the order of their series and, within it, of time.

    Attributes:
        order: The position of each row in the table, int64 `(R,)`.
        series: The number of each row's series, `(R,)`, nondecreasing.
        names: The name of each series; a single "" without groups.
        starts: Whether a row begins a new part, as the rows of a part follow each other at equal steps, bool `(R,)`.
        time: The times, in this order; None without.
        step: The step of time; None without times, or for series of one row.
        holidays: The number of steps over missing business days.
    """

    order: np.ndarray
    series: np.ndarray
    names: tuple[str, ...]
    starts: np.ndarray
    time: TimeColumn | None = None
    step: Step | None = None
    holidays: int = 0

    def __len__(self) -> int:
        return len(self.order)

    @property
    def part_starts(self) -> np.ndarray:
        """The first row of each row's part, int64 `(R,)`."""
        return np.maximum.accumulate(np.where(self.starts, np.arange(len(self)), 0))

    @property
    def parts(self) -> list[tuple[int, int]]:
        """The first row of each part and the row after its last one."""
        first = np.flatnonzero(self.starts).tolist()
        return list(zip(first, [*first[1:], len(self)], strict=True))

    @property
    def interruptions(self) -> np.ndarray:
        """The first rows after a gap or an irregular step."""
        return np.flatnonzero(self.starts & (np.diff(self.series, prepend=-1) == 0))

    def clock(self) -> tuple[np.ndarray, np.ndarray]:
        """By which rows are split in time: the clock of each row, and its position on that clock, `(R,)`.

        Series with dates have one clock, so that no training row is later than a held-out one. Without dates, the
        series have nothing in common, and each has its own clock.
        """
        if self.time is not None and self.time.format.is_date:
            return np.zeros_like(self.series), np.unique(self.time.moments, return_inverse=True)[1]
        firsts = np.searchsorted(self.series, self.series)
        return self.series, np.arange(len(self)) - firsts


def series_of(table: CsvTable, group: int | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """The number of each row's series and the name of each, in the order of the file; all rows are one without groups.

    Raises:
        DataError: The cell of a group is missing.
    """
    if group is None:
        return np.zeros(len(table), dtype=np.int64), ("",)
    cells = [cell.strip() for cell in table.columns[group]]
    if (row := next((row for row, cell in enumerate(cells) if cell in MISSING), None)) is not None:
        raise DataError(
            f"{place(table, row, group)}: the name of the series is missing",
            "fix or remove the row; data.group=null takes all rows as one series",
        )
    numbers = {name: number for number, name in enumerate(dict.fromkeys(cells))}
    return np.array([numbers[cell] for cell in cells], dtype=np.int64), tuple(numbers)


def make_timeline(
    series: np.ndarray,
    names: tuple[str, ...],
    time: TimeColumn | None,
    *,
    split_gaps: bool = True,
    step: Step | None = None,
) -> Timeline:
    """Sort rows by their series and their time, and find where a step is not the most frequent one.

    Args:
        series: The number of each row's series.
        names: See Timeline.
        time: The times, of which none occurs twice in a series; None keeps the order of the file.
        split_gaps: Whether such a step begins a new part.
        step: The step of the training file; None finds it.
    """
    if time is None:
        order = np.argsort(series, kind="stable")
        return Timeline(order, series[order], names, np.diff(series[order], prepend=-1) != 0)
    order = np.lexsort((time.moments, series))
    series, time = series[order], time._replace(moments=time.moments[order])
    starts = np.diff(series, prepend=-1) != 0
    if step is None:
        step = find_step(time.format, np.split(time.moments, np.flatnonzero(starts)[1:]))
    holidays = 0
    if step is not None and split_gaps:
        differences = np.diff(step.positions(time.moments))
        regular = step.is_regular(differences)
        if step.unit == "business day":
            holidays = int((regular & (differences > 1) & ~starts[1:]).sum())
        starts = starts | np.append(False, ~regular)
    return Timeline(order, series, names, starts, time, step, holidays)


def in_order(table: CsvTable, order: np.ndarray) -> CsvTable:
    """The table with its rows in another order; the same object if it has this order."""
    if (order == np.arange(len(order))).all():
        return table
    places = order.tolist()
    columns = [[column[row] for row in places] for column in table.columns]
    return replace(table, columns=columns, rows=[table.rows[row] for row in places])


def describe(timeline: Timeline, group: str, *, automatic: bool) -> tuple[str, ...]:
    """Describe series, time, order and interruptions, one line each."""
    lines = []
    if group:
        least, most = (f"{size:,}" for size in np.sort(np.bincount(timeline.series))[[0, -1]])
        rows = least if least == most else f"{least} to {most}"
        lines.append(
            f"{len(timeline.names):,} series by {group}, of {rows} rows; split "
            + ("at the same time for all" if len(np.unique(timeline.clock()[0])) == 1 else "each in its own time")
        )
    if timeline.time is None:
        return (*lines, "no time column (data.time): rows are taken as equal steps in the order of the file")
    name, form, moments = timeline.time
    first, last = (form.write(moment) for moment in (moments.min(), moments.max()))
    every = f", one step is {timeline.step.describe()}" if timeline.step else ""
    found = ", found by its values (data.time)" if automatic else ""
    years = ""
    if "%y" in form.form:
        ends = moments[[moments.argmin(), moments.argmax()]].astype("datetime64[us]").astype("datetime64[Y]")
        years = f" in the years {ends[0]} to {ends[1]}"
    lines.append(f"time {name}: {first} to {last}{years}{every}{found}")
    return (*lines, *order_note(timeline, name), *interruption_notes(timeline))


def order_note(timeline: Timeline, name: str) -> list[str]:
    """Say whether the file has another order in time."""
    within = np.diff(timeline.series) == 0
    earlier = (np.diff(timeline.order) < 0) & within
    if not earlier.any():
        return []
    what = "the file begins with the newest rows" if earlier.sum() == within.sum() else "rows are not in order of time"
    return [f"{what}: sorted by {name}"]


def interruption_notes(timeline: Timeline) -> list[str]:
    """Describe the steps that are not regular, and holidays."""
    assert timeline.time is not None
    lines = []
    if timeline.holidays:
        times = f"{timeline.holidays:,} times" if timeline.holidays > 1 else "once"
        lines = [f"business days are missing {times}, up to a week: holidays, which windows span"]
    rows = timeline.interruptions
    if not len(rows) or timeline.step is None:
        return lines
    _, form, moments = timeline.time
    shown = [
        shown_gap(timeline, row, form.write(moments[row - 1]), form.write(moments[row])) for row in rows[:NUM_SHOWN]
    ]
    more = f" and {len(rows) - NUM_SHOWN:,} more" if len(rows) > NUM_SHOWN else ""
    many, them = (f"{len(rows):,} steps are", "them") if len(rows) > 1 else ("1 step is", "it")
    where = "; ".join(shown) + more
    return [*lines, f"{many} not {timeline.step.describe()}, and no window spans {them}: {where}"]


def shown_gap(timeline: Timeline, row: int, before: str, after: str) -> str:
    """Such as "2020-04-09 to 2020-09-07 (149 missing) in the series A"."""
    assert timeline.time is not None
    assert timeline.step is not None
    ends = timeline.step.positions(timeline.time.moments[row - 1 : row + 1])
    missing = round(float(ends[1] - ends[0]) / timeline.step.size) - 1
    name = timeline.names[timeline.series[row]]
    lacking = f" ({missing:,} missing)" if missing > 0 else ""
    return f"{before} to {after}{lacking}{f' in the series {name}' if name else ''}"


def uneven_series(timeline: Timeline, values: np.ndarray, columns: Sequence[str]) -> list[str]:
    """Say which columns vary far more in one series than in another, since all are scaled alike.

    Args:
        timeline: The series.
        values: The columns to forecast in the order of the timeline, `(R, K)`.
        columns: Their names.
    """
    if len(timeline.names) == 1:
        return []
    firsts = np.flatnonzero(np.diff(timeline.series, prepend=-1))
    deviations = np.stack([part.std(axis=0) for part in np.split(values, firsts[1:])])  # (series, K)
    lines = []
    for name, column in zip(columns, deviations.T, strict=True):
        varied = np.flatnonzero(column > 0)
        if not len(varied):
            continue
        least, most = varied[column[varied].argmin()], varied[column[varied].argmax()]
        if column[most] >= UNEVEN * column[least]:
            lines.append(
                f"column {name} has a deviation of {column[least]:.3g} in the series {timeline.names[least]} and "
                f"{column[most]:.3g} in {timeline.names[most]}: one scaling is for all series, and the loss is mostly "
                "that of the largest"
            )
    return lines


def shown_series(names: Sequence[str]) -> str:
    """The first names, for a message."""
    return ", ".join(names[:NUM_SHOWN]) + (f" and {len(names) - NUM_SHOWN:,} more" if len(names) > NUM_SHOWN else "")
