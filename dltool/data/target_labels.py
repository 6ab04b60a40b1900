"""Several labels per row of a table: a column for each label, or one column whose cells list them."""

from collections.abc import Sequence

import numpy as np

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.cells import MISSING, to_number
from dltool.data.csv_file import CsvTable
from dltool.data.target_column import by_number_or_text

PRESENT = ("1", "yes", "true", "y", "t", "on")
ABSENT = ("0", "no", "false", "n", "f", "off")
SEPARATORS = {"semicolon": ";", "comma": ",", "pipe": "|", "space": " ", "slash": "/", "tab": "\t"}
NO_LABELS = MISSING - {""}  # An empty cell lists no label.


def read_labels(table: CsvTable, indices: Sequence[int]) -> tuple[np.ndarray, tuple[str, ...]]:
    """The labels of columns with two classes each.

    A column of 0 and 1, yes and no, or true and false is a label of its own name; of any other two classes, the last by
    name is the label, called "column=class".

    Returns:
        float64 `(N, L)`: 1, 0, or NaN where the cell is missing; and the names of the labels.

    Raises:
        DataError: Every column has the same value in all rows.
    """
    values, names, constant = [], [], 0
    for index in indices:
        cells = table.columns[index]
        texts = sorted({text for cell in set(cells) if (text := cell.strip()) not in MISSING}, key=str)
        known = {text: value for text in texts if (value := truth(text)) is not None}
        if len(known) < len(texts):
            names.append(f"{table.names[index]}={texts[-1]}")
            known = {text: float(text == texts[-1]) for text in texts}
        else:
            names.append(table.names[index])
        values.append([known.get(cell.strip(), np.nan) for cell in cells])
        constant += len(set(known.values())) < 2
    if constant == len(indices):
        raise DataError(
            f"{table.origin}: each of the targets {', '.join(names)} has the same value in every row",
            "'data.target=[…]'",
        )
    return np.array(values).T, tuple(names)


def truth(text: str) -> float | None:
    """1 for 1, yes or true, 0 for 0, no or false; None for another text."""
    word = text.lower()
    if word in PRESENT or word in ABSENT:
        return float(word in PRESENT)
    number = to_number(text)
    return number if number in (0.0, 1.0) else None


def read_separated(table: CsvTable, index: int, separator: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """The labels that each cell of a column lists; an empty cell lists none.

    Returns:
        float64 `(N, L)`, 1 or 0; where the cell is missing, bool `(N, 1)`; and the names of the labels, sorted.

    Raises:
        DataError: No cell contains the separator, or nearly each row has a label of its own.
    """
    cells, sign = table.columns[index], SEPARATORS.get(separator, separator)
    name, place = table.names[index], f"{table.origin}: the target {table.names[index]}"
    listed = {
        cell: {label for part in cell.split(sign) if (label := part.strip())} if cell.strip() not in NO_LABELS else None
        for cell in set(cells)
    }
    if not any(sign in cell for cell in listed):
        example = next((cell.strip() for cell in cells if cell.strip()), "")
        raise DataError(
            f"{place}: no cell contains the separator {sign!r} (data.separator), such as {example!r}",
            f"data.separator=null takes each cell of {name} as one class",
        )
    texts = {label for labels in listed.values() for label in labels or ()}
    if len(texts) < 2 or len(texts) > max(20, len(cells) // 2):
        raise DataError(
            f"{place} has {len(texts):,} labels in {len(cells):,} rows, separated by {sign!r}",
            setting("data.separator", "comma") + ", semicolon, pipe, space or slash",
        )
    names = sorted(texts, key=by_number_or_text(texts))
    columns = {label: place for place, label in enumerate(names)}
    values, missing = np.zeros((len(cells), len(names))), np.zeros((len(cells), 1), dtype=bool)
    for row, cell in enumerate(cells):
        labels = listed[cell]
        missing[row] = labels is None
        values[row, [columns[label] for label in labels or ()]] = 1.0
    return values, missing, tuple(names)
