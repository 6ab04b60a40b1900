"""What the user should know about the cells of a table: missing ones, labels that look alike, inputs that mislead."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from dltool.core.shell import setting
from dltool.data.arrays import Column, RawData
from dltool.data.cells import MISSING, to_number
from dltool.data.csv_file import CsvTable
from dltool.data.dates import are_numeric_days
from dltool.data.row_index import CAMEL_CASE_ID, NAMES

MOST_NAMED = 15
LEADING_ZERO = re.compile(r"0\d+")
THREE_DECIMALS = re.compile(r"[1-9]\d{0,2}\.\d{3}")
PROBED = 1000  # Rows that are compared before all are.
NINES = re.compile(r"-?9{2,}(\.9*0*)?")
FEWEST = 3  # Cells with the same value far from all others that are no chance.


def shortened(items: Sequence[str], most: int = MOST_NAMED) -> str:
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")


def counted(names: Sequence[str], absent: np.ndarray) -> str:
    """The number of missing cells in each column, the largest first.

    Args:
        names: Of K columns.
        absent: Whether a cell is missing, bool `(N, K)`.
    """
    counts = [(name, int(count)) for name, count in zip(names, absent.sum(axis=0), strict=False) if count]
    return shortened([f"{name} ({count:,})" for name, count in sorted(counts, key=lambda entry: -entry[1])])


def missing_note(names: Sequence[str], absent: np.ndarray, missing: str) -> tuple[str, ...]:
    """What became of missing cells; nothing if there are none. For the arguments see `counted`."""
    rows = int(absent.any(axis=1).sum())
    if rows == 0:
        return ()
    if missing == "drop":
        return (f"{rows:,} rows with a missing cell are dropped (data.missing=drop): {counted(names, absent)}",)
    return (f"missing cells are filled (data.missing={missing}): {counted(names, absent)}",)


def label_notes(cells: Iterable[str], classes: Sequence[str], name: str) -> tuple[str, ...]:
    """Labels that a reader may take for the same: those without their blanks are, the others are not.

    Args:
        cells: Of the target.
        classes: Its classes.
        name: Of the target.
    """
    distinct = set(cells)
    padded = sorted(cell for cell in distinct if cell != cell.strip() and cell.strip() in distinct)
    notes = [f"target {name}: blanks around a label do not count: {cell!r} is {cell.strip()!r}" for cell in padded[:1]]
    return (*notes, *(f"target {name}: {note}" for note in alike_notes(classes)))


def alike_notes(classes: Sequence[str]) -> list[str]:
    """Name the classes that a reader may take for the same."""
    alike: dict[object, list[str]] = {}
    for text in classes:
        alike.setdefault(appearance(text), []).append(text)
    groups = [" and ".join(map(written, group)) for group in alike.values() if len(group) > 1]
    return [f"classes that look alike but are written differently: {shortened(groups)}"] if groups else []


def appearance(text: str) -> object:
    """A value that is equal for texts that are easily confused: 1 and 1.0, True and true, é and e with an accent."""
    number = to_number(text)
    if np.isfinite(number):
        return number
    visible = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")  # Not a zero-width space.
    return " ".join(unicodedata.normalize("NFKC", visible).casefold().split())


def written(text: str) -> str:
    """The text; where Unicode has another form of it, with its code points: 'cafe\\u0301' is not 'caf\\xe9'."""
    return ascii(text) if not unicodedata.is_normalized("NFKC", text) or not text.isascii() else text


def doubts(table: CsvTable, columns: Collection[int], dates: str) -> list[str]:
    """Name the columns of numbers that may be meant otherwise: as dates, as codes, or with a point for thousands.

    Args:
        table: As in the file.
        columns: Those that are not categories.
        dates: The setting of csv_table.
    """
    notes = []
    for index in sorted(columns):
        name, cells = table.names[index], table.columns[index]
        first = next((text for cell in cells[:PROBED] if (text := cell.strip()) not in MISSING), "")
        if dates != "number" and are_numeric_days(cells):
            notes.append(f"column {name}: {first} is read as a whole number; data.dates=number reads it as a date")
        elif code := next((cell.strip() for cell in cells[:PROBED] if LEADING_ZERO.fullmatch(cell.strip())), ""):
            remedy = setting("data.categories", [name])
            notes.append(f"column {name}: {code} is read as a number; {remedy} if it is a code")
        elif THREE_DECIMALS.fullmatch(first) and all(map(is_doubtful, set(cells))):
            notes.append(f"column {name}: {first} is read with a decimal point; data.thousands=point if it is not one")
    return notes


def is_doubtful(cell: str) -> bool:
    """Whether the cell is a number such as 1.250, or missing."""
    return bool(THREE_DECIMALS.fullmatch(text := cell.strip())) or text in MISSING


def input_notes(raw: RawData) -> list[str]:
    """Name the inputs that contain the target, and those that are the names of rows."""
    rows, targets = raw.train.inputs, raw.train.targets
    same = equal_numbers if raw.target == "numbers" else same_classes
    comparable = raw.target in ("classes", "binary") or (raw.target == "numbers" and raw.target_dim == 1)
    notes, names = [], [column.name for column in raw.columns]
    for column, cells in zip(raw.columns, rows.unbind(1), strict=True):
        remedy = f"{setting('data.drop', [column.name])} leaves it out"
        if comparable and same(cells[:PROBED], targets[:PROBED]) and same(cells, targets):
            notes.append(f"the input {column.name} is the target in another column, which new rows may lack; {remedy}")
        elif (NAMES.fullmatch(column.name) or CAMEL_CASE_ID.fullmatch(column.name)) and numbers_differ(column, cells):
            notes.append(f"the input {column.name} is another whole number in each row; {remedy}")
    constant = [name for name, cells in zip(names, rows.unbind(1), strict=True) if bool((cells == cells[0]).all())]
    numbers = {
        column.name: cells.numpy()
        for column, cells in zip(raw.columns, rows.unbind(1), strict=True)
        if column.categories is None
    }
    if raw.target == "numbers":
        numbers |= {
            f"target {place + 1}" if raw.target_dim > 1 else "the target": cells.numpy()
            for place, cells in enumerate(targets.unbind(1))
        }
    return [*notes, *([f"the same in all rows: {shortened(constant)}"] if constant else []), *stand_ins(numbers)]


def stand_ins(columns: Mapping[str, np.ndarray]) -> list[str]:
    """Name the values that may stand for missing cells: repeated, and far from all other values of their column.

    Far is farther than the others are from each other, for -999, 9999 and so on, and three times as far for the rest.

    Args:
        columns: The numbers of each column, `(N,)`; NaN where a cell is missing.
    """
    found = []
    for name, cells in columns.items():
        values, counts = np.unique(cells[np.isfinite(cells)], return_counts=True)
        if len(values) < FEWEST + 1:
            continue
        lower, upper = values[1] - values[0], values[-1] - values[-2]
        place, gap, spread = (
            (0, lower, values[-1] - values[1]) if lower > upper else (-1, upper, values[-2] - values[0])
        )
        text = f"{values[place]:.10g}"
        factor = 1 if NINES.fullmatch(text) else 3
        if counts[place] >= FEWEST and gap > factor * spread:
            rest = values[1:] if place == 0 else values[:-1]
            found.append(f"{name}: {text} ({counts[place]:,} times; the others are {rest[0]:.6g} to {rest[-1]:.6g})")
    if not found:
        return []
    return [f"may stand for missing cells: {shortened(found)}; if so, leave these cells empty in the file"]


def numbers_differ(column: Column, cells: Tensor) -> bool:
    """Whether the column holds a different whole number in each row."""
    return column.categories is None and bool((cells == cells.round()).all()) and len(cells.unique()) == len(cells)


def equal_numbers(cells: Tensor, targets: Tensor) -> bool:
    return torch.equal(cells, targets[:, 0])


def same_classes(cells: Tensor, labels: Tensor) -> bool:
    """Whether each value, `(N,)`, occurs with one label, `(N,)`, alone, and each label with one value."""
    values, codes = cells.unique(return_inverse=True)
    num_labels = len(labels.unique())
    pairs = torch.stack([codes, labels], 1).unique(dim=0) if len(values) == num_labels else codes[:0]
    return len(pairs) == num_labels
