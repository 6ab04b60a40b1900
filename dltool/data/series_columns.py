"""The columns of a table of series: inputs, targets, the time, the name of the series."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.cells import parse_numbers
from dltool.data.csv_file import CsvTable
from dltool.data.csv_table import find_column
from dltool.data.table_notes import shortened
from dltool.data.time_column import with_joined


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


def even_columns(table: CsvTable, seen: Sequence[int]) -> list[str]:
    """Name the input columns that change by the same whole number from row to row, which can be the time."""
    lines = []
    for index in seen:
        numbers, _ = parse_numbers(table.columns[index])
        steps = np.unique(np.diff(numbers))
        if len(steps) == 1 and steps[0] and float(steps[0]).is_integer():
            what = f"rises by {steps[0]:.10g}" if steps[0] > 0 else f"falls by {-steps[0]:.10g}"
            key = setting("data.time", table.names[index])
            lines.append(f"column {table.names[index]} {what} from row to row; {key} if it is the time")
    return lines
