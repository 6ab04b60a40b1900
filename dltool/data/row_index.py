"""The first column of a table may number the rows, as a pandas index does; such a column is not an input."""

import re
from collections.abc import Collection
from typing import Literal

import numpy as np

from dltool.data.cells import parse_numbers
from dltool.data.csv_file import CsvTable

Index = Literal["auto"] | bool
NAMES = re.compile(
    r"index|idx|(.*[ _.-])?id|unnamed: ?0|row([ _.-]?(id|names?|numbers?|no|nr))?|rownames|level_0|#|no\.?|nr\.?|"
    r"numbers?|序号|编号|索引",
    re.IGNORECASE,
)
CAMEL_CASE_ID = re.compile(r".*[a-z]I[dD]")  # PassengerId, but not Grid.


def row_index(table: CsvTable, index: Index, others: Collection[int]) -> int | None:
    """The column that is an index of the rows, which is the first one, or None.

    Args:
        table: The table.
        index: Whether the first column is an index. "auto" takes it as one if it has no name and no two of its cells
            are equal; or if its name is that of an index and it holds 0 to N - 1 or 1 to N in any order.
        others: Columns that are no index: the target, and those that the user named.
    """
    if 0 in others or index is False or len({*range(1, len(table.names))} - {*others}) == 0:
        return None
    if index is True:
        return 0
    name = table.names[0]
    if table.unnamed:
        return 0 if all_different(table) else None
    named = table.header and (NAMES.fullmatch(name) or CAMEL_CASE_ID.fullmatch(name))
    return 0 if named and numbers_rows(table) else None


def index_note(table: CsvTable, found: int | None, index: Index, others: Collection[int]) -> tuple[str, ...]:
    """What was assumed about the first column; nothing if it is an ordinary one."""
    name = table.names[0]
    if found is not None:
        why = "has no name" if table.unnamed else "numbers the rows" if index == "auto" else "is an index"
        return (f"the first column, {name}, {why} and is not an input (data.index=false makes it one)",)
    if index == "auto" and 0 not in others:
        if table.unnamed:
            return (f"the first column has no name and is the input {name} (data.index=true leaves it out)",)
        if numbers_rows(table):
            return (f"the input {name} numbers the rows; data.index=true leaves it out",)
    return ()


def numbers_rows(table: CsvTable) -> bool:
    """Whether the first column holds 0 to N - 1 or 1 to N, in any order, N at least 3."""
    numbers, texts = parse_numbers(table.columns[0])
    count = len(numbers)
    if count < 3 or texts.any() or not (numbers.min() in (0, 1) and numbers.max() == numbers.min() + count - 1):
        return False
    return bool((np.sort(numbers) == np.arange(count) + numbers.min()).all())


def all_different(table: CsvTable) -> bool:
    """Whether the first column holds whole numbers or texts, no two of which are equal."""
    cells = table.columns[0]
    numbers, texts = parse_numbers(cells)
    if not texts.any():
        return len(np.unique(numbers)) == len(numbers) and bool((numbers == np.round(numbers)).all())
    return len(set(cells)) == len(cells)
