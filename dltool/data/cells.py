"""Converts the texts of a column's cells to numbers: a number's value, a category's code, NaN for a missing cell."""

import re
from collections.abc import Sequence

import numpy as np

from dltool.data.text_column import TextColumn, chunks_of

# Texts of a missing cell, without surrounding blanks. "None" is not one of them: it is often a category.
MISSING = frozenset({"", "?", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "#N/A", "<NA>"})
ERRORS = ("#n/a", "#n/a n/a", "#div/0!", "#value!", "#num!", "#ref!", "#name?", "#null!")  # Of spreadsheets.
# Among numbers, these can only be missing cells; in lower case.
NO_NUMBER = frozenset(
    (
        *("", "na", "n/a", "n.a.", "k.a.", "nan", "-nan", "null", "(null)", "none", "nil", "nat", "<na>"),
        *("missing", "unknown", "1.#ind", "-1.#ind", "1.#qnan"),
        *("?", "-", "--", "---", "–", "—", ".", "..", "...", "\\n"),
        *ERRORS,
    )
)
LARGEST = float(np.finfo(np.float32).max)
TOO_LARGE = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE]\+?\d+)?")
EXACT = 2.0**53  # From here on, float64 does not have every whole number.


def parse_numbers(cells: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Read the cells of a column of numbers.

    Returns:
        float64 `(N,)`, NaN where the cell is not a number; and bool `(N,)`, true where it is a text, which includes
        infinity and what is infinite in float32, in which models compute: its predictions and errors would be NaN.
    """
    values = np.empty(len(cells))
    start = 0
    underscores = cells.contains("_") if isinstance(cells, TextColumn) else "_" in "".join(cells)
    for chunk in chunks_of(cells):
        values[start : start + len(chunk)] = numbers_of(chunk, underscores=underscores)
        start += len(chunk)
    texts = np.abs(values) > LARGEST
    values[texts] = np.nan
    return values, texts


def numbers_of(cells: Sequence[str], *, underscores: bool) -> np.ndarray:
    """The numbers, float64 `(N,)`: NaN for a missing cell, infinity for a text, such as 1_000, which Python reads."""
    if not underscores:
        try:
            return np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            pass
    known = {cell: to_number(cell) for cell in set(cells)}
    return np.fromiter(map(known.__getitem__, cells), np.float64, len(cells))


def parse_categories(cells: Sequence[str], categories: Sequence[str] | None = None) -> tuple[np.ndarray, list[str]]:
    """Read the cells of a column of categories.

    Args:
        cells: Texts; surrounding blanks are ignored.
        categories: Known categories, which keep their codes; others follow, in alphabetical order.

    Returns:
        Codes, float64 `(N,)`, NaN where a cell is missing; and the category of each code.
    """
    distinct = set(cells)
    texts = {text for cell in distinct if (text := cell.strip()) not in MISSING}
    found = [*(categories or ()), *sorted(texts.difference(categories or ()))]
    codes = {text: float(code) for code, text in enumerate(found)}
    known = {cell: codes.get(cell.strip(), np.nan) for cell in distinct}
    return np.fromiter(map(known.__getitem__, cells), np.float64, len(cells)), found


def to_number(cell: str) -> float:
    """The number; NaN for a missing cell, infinity for a text."""
    text = cell.strip()
    if "_" in text:
        return np.inf
    try:
        return float(text)
    except ValueError:
        return np.nan if text.lower() in NO_NUMBER else np.inf


def too_large(cell: str) -> str:
    """Why a cell of digits is taken as a text, for a message; "" if its size is not the reason."""
    text = cell.strip()
    if not TOO_LARGE.fullmatch(text) or abs(number := float(text)) <= LARGEST:
        return ""
    return f"{text} is too large for {'float64' if np.isinf(number) else 'float32'}"


def indistinct(cells: Sequence[str], numbers: np.ndarray) -> tuple[str, str] | None:
    """Two cells of different whole numbers that are the same in float64, such as identifiers of 18 digits.

    Args:
        cells: Of a column of numbers.
        numbers: Their values, `(N,)`.
    """
    if not (np.abs(numbers) >= EXACT).any():
        return None
    known: dict[float, str] = {}
    for text in {text for cell in cells if (text := cell.strip()).lstrip("+-").isdecimal()}:
        other = known.setdefault(float(text), text)
        if int(other) != int(text):
            return min(other, text), max(other, text)
    return None
