"""Finds the time column of a table and reads it: each row has a moment, and no moment occurs twice in a series."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.cells import MISSING
from dltool.data.csv_file import CsvTable, is_number
from dltool.data.dates import MICROSECONDS_PER_DAY, are_dates, foreign_month
from dltool.data.moments import PROBED, TimeFormat, fitted, orders_of, possible_formats, readings
from dltool.data.time_step import find_step

# A column of numbers is taken as the time only if it has such a name.
TIME_NAMES = frozenset(
    (
        *("time", "timestamp", "date", "datetime", "ds", "epoch", "unix", "unixtime", "unix_time", "year"),
        *("datum", "zeit", "jahr", "时间", "日期", "时间戳", "年份", "年"),
    )
)
# Numbers in a column of such a name are the time only where they are written as dates, such as 202401.
PERIOD_NAMES = frozenset(("month", "day", "hour", "period", "monat", "tag", "stunde", "月份"))
NEARLY_A_CENTURY = 90 * 365.25 * MICROSECONDS_PER_DAY
CLOCK = re.compile(r"\d{1,2}[:.]\d{2}([:.]\d{2})?( ?[AaPp][Mm])?")
WITHOUT = "data.time=none keeps the order of the file"


class TimeColumn(NamedTuple):
    """The times of a table.

    Attributes:
        name: The column's name.
        format: How it writes them.
        moments: The moment of each row, as in the file; see dltool.data.moments.
    """

    name: str
    format: TimeFormat
    moments: np.ndarray


def find_time(table: CsvTable, candidates: Sequence[int], series: np.ndarray) -> TimeColumn | None:
    """The column of dates among some columns, by its values; None if none holds dates.

    A column of numbers, such as Unix time or years, is one only if its name says so and no number occurs twice in a
    series.

    Args:
        table: The table.
        candidates: The columns to try.
        series: The number of each row's series.

    Raises:
        DataError: Several columns can be the time, a cell of the only one is not a date, or its months are not English.
    """
    found = [index for index in candidates if holds_times(table, index)]
    dates = [read_times(table, index, series) for index in found]
    distinct = [column for column in dates if first_repeated(column.moments, series) is None]
    written = [column for column in dates if not is_number(table.columns[table.names.index(column.name)][0])]
    chosen = distinct or written
    named = [column for column in chosen if is_time_name(column.name)]
    chosen = named if len(chosen) > 1 and len(named) == 1 else chosen
    if len(chosen) > 1:
        first, second = (column.name for column in chosen[:2])
        raise DataError(
            f"{table.origin}: the columns {first} and {second} both hold dates, and either can be the time",
            f"{setting('data.time', first)}, or {setting('data.time', second)}; {WITHOUT}",
        )
    if not chosen:
        for index in candidates:
            if foreign_month(table.columns[index][:PROBED]):
                raise not_a_time(table, index, 0)
    return chosen[0] if chosen else None


def holds_times(table: CsvTable, index: int) -> bool:
    """Whether most of the first cells of a column are dates, or its name says that its numbers are."""
    cells = [text for cell in table.columns[index][:PROBED] if (text := cell.strip()) not in MISSING]
    formats = possible_formats(cells)
    if cells and is_number(cells[0]):
        unix = bool(formats) and formats[0].kind == "unix" and has_time_word(table.names[index])
        period = table.names[index].strip().lower() in PERIOD_NAMES and any(form.kind == "strptime" for form in formats)
        return unix or period or (is_time_name(table.names[index]) and any(form.is_date for form in formats))
    return bool(formats) or are_dates(cells)


def has_time_word(name: str) -> bool:
    """Whether a word of the name is one of TIME_NAMES, as in open_time."""
    return not TIME_NAMES.isdisjoint(re.split(r"[\W_\d]+", name.lower()))


def is_time_name(name: str) -> bool:
    return name.strip().lower() in TIME_NAMES


def read_times(
    table: CsvTable, index: int, series: np.ndarray, known: TimeFormat | None = None, key: str = "data.time"
) -> TimeColumn:
    """The moments of a column.

    Args:
        table: The table.
        index: The column.
        series: The number of each row's series.
        known: The format of the training file; None finds it.
        key: The setting that names the column, for messages.

    Raises:
        DataError: A cell is missing or is no time; or its days and months could be exchanged, and both readings fit.
    """
    cells, name = table.columns[index], table.names[index]
    if known is not None:
        try:
            form = fitted(known, cells)
            return TimeColumn(name, form, form.read(cells))
        except ValueError as error:
            raise not_a_time(table, index, int(error.args[0]), known) from error
    found = readings(cells)
    if not found:
        raise not_a_time(table, index, first_misfit(cells))
    if len(found) > 1:
        found = most_regular(found, series) or found
    if any(not np.array_equal(moments, found[0][1]) for _, moments in found):
        raise DataError(
            f"{table.origin}: the dates of the column {name} can be read as "
            f"{orders_of([form.form for form, _ in found])}, such as {cells[0].strip()}",
            f"write them as 2024-12-31; {key}=none keeps the order of the file",
        )
    form, moments = found[0]
    years = moments.astype("datetime64[us]").astype("datetime64[Y]") if form.is_date else moments
    if "%y" in form.form and (row := turn_of_century(moments, series)) is not None:
        raise DataError(
            f"{place(table, row, index)}: {cells[row].strip()} is read as the year {years[row]}, and the rows are not "
            "in order of time then",
            f"write years with four digits; {key}=none keeps the order of the file",
        )
    return TimeColumn(name, form, moments)


def turn_of_century(moments: np.ndarray, series: np.ndarray) -> int | None:
    """The row of the latest moment, if rows are in order of time but for one step back of about a century.

    Years of two digits are 1969 to 2068, so that those of 1950 to 1980 are in no order.
    """
    for number in np.unique(series):
        rows = np.flatnonzero(series == number)
        steps = np.diff(moments[rows])
        far = np.abs(steps) > NEARLY_A_CENTURY
        rest = np.sign(steps[~far])
        for direction in (1, -1):
            if far.sum() == 1 and (np.sign(steps[far]) == -direction).all() and (rest == direction).all():
                return int(rows[moments[rows].argmax()])
    return None


def most_regular(
    found: Sequence[tuple[TimeFormat, np.ndarray]], series: np.ndarray
) -> list[tuple[TimeFormat, np.ndarray]]:
    """The readings in which every row follows another after one step."""
    regular = []
    for form, moments in found:
        parts = [np.unique(moments[series == number]) for number in np.unique(series)]
        step = find_step(form, parts)
        if step is not None and all(step.is_regular(np.diff(step.positions(part))).all() for part in parts):
            regular.append((form, moments))
    return regular


def first_misfit(cells: Sequence[str]) -> int:
    """The position of the first cell that the format of the first cells does not read."""
    there = [cell for cell in cells[:PROBED] if cell.strip() not in MISSING]
    positions = [0]
    for form in possible_formats(there[:1]):
        try:
            fitted(form, there).read(cells)
        except ValueError as error:
            positions.append(int(error.args[0]))
    return max(positions)


def place(table: CsvTable, row: int, index: int) -> str:
    """Where a cell is, for a message."""
    return f"{table.origin}: row {table.rows[row]}, column {table.names[index]}"


def not_a_time(table: CsvTable, index: int, row: int, known: TimeFormat | None = None) -> DataError:
    cell = table.columns[index][row].strip()
    others = [other.strip() for other in table.columns[index][:PROBED]]
    alike = (other for other in others if possible_formats([other]) and not possible_formats([other, cell]))
    example = next(alike, "2024-01-31")
    written = f", as the times of the training file, {known.form}" if known and known.form else ""
    what = "the time is missing" if cell in MISSING else f"{cell!r} is not a time like {example}{written}"
    if month := foreign_month([cell]):
        what = f"{cell!r} is not read as a date: {month} is not the English name of a month"
    remedy = "write dates as 2024-12-31" if month else "fix or remove the row"
    return DataError(f"{place(table, row, index)}: {what}", f"{remedy}; {WITHOUT}" if known is None else remedy)


def first_repeated(moments: np.ndarray, series: np.ndarray) -> tuple[int, int, int] | None:
    """Two rows of a series with the same moment, and the number of such pairs; None if there are none."""
    order = np.lexsort((moments, series))
    same = (np.diff(moments[order]) == 0) & (np.diff(series[order]) == 0)
    if not same.any():
        return None
    at = int(same.argmax())
    first, second = sorted((int(order[at]), int(order[at + 1])))
    return first, second, int(same.sum())


def check_distinct(
    table: CsvTable, time: TimeColumn, series: np.ndarray, names: Sequence[str], texts: Collection[int]
) -> None:
    """Raises DataError if a moment occurs twice in a series.

    Args:
        table: The table.
        time: Its times.
        series: The number of each row's series.
        names: The name of each series; a single "" without groups.
        texts: Columns that may distinguish series, for the hint.
    """
    if (repeated := first_repeated(time.moments, series)) is None:
        return
    first, second, count = repeated
    more = f"; so have {count - 1:,} more pairs of rows" if count > 1 else ""
    name = names[series[first]]
    where = f" of the series {name}" if name else ""
    remedy = "" if name else joining(table, time, texts) or grouping(table, time, texts)
    raise DataError(
        f"{table.origin}: rows {table.rows[first]} and {table.rows[second]}{where} have the same time, "
        f"{time.name} {time.format.write(time.moments[first])}{more}",
        f"{remedy}remove one row of each pair; {WITHOUT}",
    )


def joining(table: CsvTable, time: TimeColumn, columns: Collection[int]) -> str:
    """The setting of two columns of dates and times of day, for a hint; "" if there is no such column."""
    for index in columns:
        if all(CLOCK.fullmatch(cell.strip()) for cell in table.columns[index][:PROBED]):
            return f"{setting('data.time', [time.name, table.names[index]])} joins date and time of day; or "
    return ""


def grouping(table: CsvTable, time: TimeColumn, columns: Collection[int]) -> str:
    """The setting of a column of series of two rows or more on average, in which no time is repeated, for a hint."""
    for index in columns:
        _, numbers = np.unique(np.array(table.columns[index]), return_inverse=True)
        if first_repeated(time.moments, numbers) is None and 2 * (numbers.max() + 1) <= len(numbers):
            return f"{setting('data.group', table.names[index])} if each of its values is a series; or "
    return ""


def with_joined(table: CsvTable, columns: Sequence[str]) -> CsvTable:
    """The table with one more column, the cells of some columns joined, such as date and time of day.

    Its name is their names, joined likewise.
    """
    cells = [table.columns[table.names.index(name)] for name in columns]
    joined = [" ".join(map(str.strip, parts)) for parts in zip(*cells, strict=True)]
    return replace(table, names=(*table.names, " ".join(columns)), columns=[*table.columns, joined])
