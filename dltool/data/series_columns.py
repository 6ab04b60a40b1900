"""The columns of a table of series: inputs, targets, the time, the name of the series."""

import itertools
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.cells import parse_numbers
from dltool.data.csv_file import CsvTable
from dltool.data.csv_table import find_column
from dltool.data.table_notes import shortened, stand_ins
from dltool.data.time_column import has_time_word, with_joined


class ChosenColumns(NamedTuple):
    """Indices of the columns of a table.

    Attributes:
        inputs, targets: Those that the settings name; empty for the columns of numbers.
        time: The index of the column of times, "auto" or "none".
        group: The index of the column that names the series; None without.
        joined, parts: The names and the indices of the columns that were joined to the times; empty for one column.
    """

    inputs: list[int]
    targets: list[int]
    time: int | str
    group: int | None
    joined: tuple[str, ...] = ()
    parts: tuple[int, ...] = ()

    @property
    def special(self) -> set[int]:
        """The columns that are no inputs: those of the series' names and of the parts of times."""
        return {*self.parts, *([] if self.group is None else [self.group])}

    def group_name(self, table: CsvTable) -> str:
        return "" if self.group is None else table.names[self.group]


def choose_columns(
    table: CsvTable,
    columns: Sequence[str | int],
    target: Sequence[str | int],
    time: str | int | list[str | int],
    group: str | int | None,
) -> tuple[CsvTable, ChosenColumns]:
    """The columns that the settings name, and the table, with one more column if the times are in several.

    Raises:
        DataError: A column does not exist.
    """
    inputs = [find_column(table, name, "data.columns") for name in columns]
    targets = [find_column(table, name, "data.target") for name in target]
    series_index = None if group is None else find_column(table, group, "data.group")
    if time in ("auto", "none"):
        return table, ChosenColumns(inputs, targets, str(time), series_index)
    parts = tuple(find_column(table, name, "data.time") for name in as_list(time))
    if len(parts) == 1:
        return table, ChosenColumns(inputs, targets, parts[0], series_index)
    joined = tuple(table.names[index] for index in parts)
    chosen = ChosenColumns(inputs, targets, len(table.names), series_index, joined, parts)
    return with_joined(table, joined), chosen


def as_list(names: str | int | list[str | int] | None) -> list[str | int]:
    """One column is a list of one."""
    return [] if names is None else names if isinstance(names, list) else [names]


def columns_of_numbers(table: CsvTable, special: Collection[int]) -> list[int]:
    """The columns, without those of time and group, in which more cells are numbers than texts.

    Raises:
        DataError: No column holds numbers.
    """
    found = []
    for index, cells in enumerate(table.columns):
        if index in special:
            continue
        numbers, texts = parse_numbers(cells)
        if texts.sum() * 2 < len(numbers):
            found.append(index)
    if not found:
        raise DataError(
            f"{table.origin}: none of the columns {shortened(table.names)} holds numbers",
            f"are its cells separated by a {table.delimiter}? data.delimiter=comma, semicolon, tab, pipe or space",
        )
    return found


def doubtful_columns(table: CsvTable, seen: Sequence[int], unused: Sequence[int], *, alone: bool) -> list[str]:
    """Name columns that were taken for something else than they can be, with the settings that decide it.

    Args:
        table: The table.
        seen: The input columns.
        unused: The columns of texts that are not used.
        alone: Whether all rows are one series without times.
    """
    numbers = {index: parse_numbers(table.columns[index])[0] for index in seen}
    constant = [table.names[index] for index in seen if (numbers[index] == numbers[index][0]).all()]
    lines = [f"the same in all rows: {shortened(constant)}"] if constant else []
    lines += stand_ins({table.names[index]: numbers[index] for index in seen})
    if not alone:
        return lines
    if parts := parts_of_dates(table, seen):
        lines.append(f"{setting('data.time', parts)} if these columns are the time")
    for index in seen:
        steps = np.unique(np.diff(numbers[index]))
        strict = len(steps) and (steps[0] > 0 or steps[-1] < 0)
        named = has_time_word(table.names[index]) and len(steps) and steps[0] * steps[-1] >= 0 and steps.any()
        if (strict or named) and (len(seen) > 1 or len(steps) == 1):
            what, size = ("rises", steps[0]) if steps[-1] > 0 else ("falls", -steps[0])
            by = f" by {size:.10g}" if len(steps) == 1 else ""
            key = setting("data.time", table.names[index])
            lines.append(f"column {table.names[index]} {what}{by} from row to row; {key} if it is the time")
    for index in unused:
        if names_series(table.columns[index]):
            name = table.names[index]
            lines.append(f"{setting('data.group', name)} if each value of the column {name} is a series")
    return lines


def parts_of_dates(table: CsvTable, seen: Sequence[int]) -> list[str]:
    """The columns of year, month, day and hour, by their names; empty if year or month is missing."""
    names = {table.names[index].strip().lower(): table.names[index] for index in seen}
    found = list(itertools.takewhile(names.__contains__, ("year", "month", "day", "hour")))
    return [names[name] for name in found] if len(found) > 1 else []


def names_series(cells: Sequence[str]) -> bool:
    """Whether the values of a column are in blocks, one for each, or in the same order again and again."""
    values = [cell.strip() for cell in cells]
    count = len(set(values))
    if not 1 < count <= len(values) // 2:
        return False
    blocks = sum(value != before for before, value in itertools.pairwise(values)) + 1
    return blocks == count or values == (values[:count] * len(values))[: len(values)]
