"""What the user should know about the cells of a table: which are missing, and which labels look alike."""

import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from dltool.data.cells import to_number

MOST_NAMED = 15


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
    alike: dict[object, list[str]] = {}
    for text in classes:
        alike.setdefault(appearance(text), []).append(text)
    groups = [" and ".join(map(written, group)) for group in alike.values() if len(group) > 1]
    if groups:
        notes.append(f"target {name}: classes that look alike but are written differently: {shortened(groups)}")
    return tuple(notes)


def appearance(text: str) -> object:
    """A value that is equal for texts that are easily confused: 1 and 1.0, True and true, é and e with an accent."""
    number = to_number(text)
    return number if np.isfinite(number) else " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def written(text: str) -> str:
    """The text; where Unicode has another form of it, with its code points: 'cafe\\u0301' is not 'caf\\xe9'."""
    return ascii(text) if not unicodedata.is_normalized("NFKC", text) or not text.isascii() else text
