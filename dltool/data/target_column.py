"""The target of a table: whether it is classes or numbers, and the values of its cells."""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.cells import MISSING, indistinct, parse_categories, parse_numbers, to_number, too_large
from dltool.data.csv_file import CsvTable

# Whole numbers with at most this many distinct values are taken as classes, if each occurs several times.
MOST_NUMBERED_CLASSES, FEWEST_ROWS_A_CLASS = 20, 5
EVEN = 0.45  # Of two classes whose rarer one has at least this share, neither counts as the rare one.
LEADING_ZERO = re.compile(r"\s*[+-]?0\d")  # A code, such as 01, not a number.


def choose_kind(table: CsvTable, index: int) -> str:
    """The kind that `auto` chooses for a target: "classes", "integer_classes" or "numbers".

    Raises:
        DataError: Most cells are numbers, but not all.
    """
    cells, name = table.columns[index], table.names[index]
    numbers, texts = parse_numbers(cells)
    found = np.unique(numbers[~np.isnan(numbers)])
    if texts.any() or not len(found):
        if texts.any() and texts.sum() < 0.5 * len(cells) and len(found) > MOST_NUMBERED_CLASSES:
            raise text_in_numbers(table, index, texts, f"fix the cell, or data.kind=classes takes {name} as classes")
        return "classes"
    if len(set(cells)) <= MOST_NUMBERED_CLASSES and indistinct(cells, numbers):
        return "classes"
    whole = len(found) > 0 and bool((found == np.round(found)).all())
    if not whole or len(found) > min(MOST_NUMBERED_CLASSES, len(cells) // FEWEST_ROWS_A_CLASS):
        return "numbers"
    return "classes" if any(LEADING_ZERO.match(cell) for cell in set(cells)) else "integer_classes"


def read_target(table: CsvTable, index: int, kind: str) -> tuple[np.ndarray, list[str] | None]:
    """The target's values, float64 `(N,)`, NaN where missing: labels and their classes, or numbers and None.

    Raises:
        DataError: A cell is a text where a number is needed, or not a whole number where classes are integers.
    """
    cells = table.columns[index]
    if kind == "classes":
        texts = {text for cell in set(cells) if (text := cell.strip()) not in MISSING}
        return parse_categories(cells, sorted(texts, key=by_number_or_text(texts)))
    numbers, not_numbers = parse_numbers(cells)
    if not_numbers.any():
        raise text_in_numbers(table, index, not_numbers, "data.kind=classes")
    if pair := indistinct(cells, numbers):
        raise beyond_precision(table, index, pair, "data.kind=classes")
    if kind == "numbers":
        return numbers, None
    found = np.unique(numbers[~np.isnan(numbers)])
    broken = ~np.isnan(numbers) & (numbers != np.round(numbers))
    if broken.any():
        row = int(broken.argmax())
        place = f"{table.origin}: row {table.rows[row]}, column {table.names[index]}"
        raise DataError(f"{place}: {cells[row].strip()} is not a whole number", "data.kind=classes")
    labels = np.where(np.isnan(numbers), np.nan, np.searchsorted(found, numbers).astype(float))
    return labels, names_of_integers(cells, found)


def names_of_integers(cells: Sequence[str], numbers: np.ndarray) -> list[str]:
    """The name of each number: as the cells write it, or without a fraction if they write one in several ways."""
    spellings: dict[float, set[str]] = {}
    for cell in set(cells):
        spellings.setdefault(to_number(cell), set()).add(cell.strip())
    several = any(len(spellings[number]) > 1 for number in numbers.tolist())
    return [f"{number:.0f}" if several else min(spellings[number]) for number in numbers.tolist()]


def put_positive_last(
    labels: np.ndarray, classes: list[str], positive: str | int | None, origin: str
) -> tuple[np.ndarray, list[str]]:
    """Two classes in the order negative, positive, and the labels for it.

    Args:
        labels: float64 `(N,)`, NaN where missing.
        classes: In the order of their names; the labels are indices of them.
        positive: A class; "auto" for the rarer one, or the last by name if both are about as frequent; None for the
            last by name.
        origin: For messages.

    Raises:
        DataError: The positive class is named and is none of the two, or there are not two.
    """
    if len(classes) == 1 or (positive in ("auto", None) and len(classes) != 2):
        return labels, classes  # One class is an error of its own, or a part of a run's data.
    chosen = classes[-1]
    if positive == "auto":
        shares = [np.mean(labels[~np.isnan(labels)] == label) for label in (0, 1)]
        chosen = classes[int(np.argmin(shares))] if min(shares) < EVEN else chosen
    elif positive is not None:
        chosen = str(positive)
        if chosen not in classes or len(classes) != 2:
            named = ", ".join(classes[:10]) + (", …" if len(classes) > 10 else "")
            other = f"{setting('data.positive', classes[-1])}, or " if len(classes) == 2 else ""
            raise DataError(
                f"{origin}: data.positive={chosen} is none of two classes; the classes of the target are {named}",
                f"{other}data.positive=auto",
            )
    if chosen == classes[0]:
        return 1 - labels, classes[::-1]
    return labels, classes


def by_number_or_text(texts: Collection[str]) -> Callable[[str], Any]:
    """The sort key of classes: by number if all are numbers, 2 before 10, else by text."""
    if not np.isfinite([to_number(text) for text in texts]).all():
        return str
    return lambda text: (to_number(text), text)


def text_in_numbers(table: CsvTable, index: int, texts: np.ndarray, hint: str) -> DataError:
    first = int(texts.argmax())
    cell = table.columns[index][first].strip()
    if first == 0 and not table.header:
        hint = "data.header=true if the first row names the columns"
    if what := too_large(cell):
        return DataError(
            f"{table.origin}: row {table.rows[first]}, column {table.names[index]}: {what}",
            hint,
        )
    more = f"; {texts.sum():,} cells are texts" if texts.sum() > 1 else ""
    return DataError(
        f"{table.origin}: row {table.rows[first]}, column {table.names[index]}: "
        f"{cell!r} is a text in a column of numbers{more}",
        hint,
    )


def beyond_precision(table: CsvTable, index: int, pair: tuple[str, str], hint: str) -> DataError:
    return DataError(
        f"{table.origin}: column {table.names[index]}: {pair[0]} and {pair[1]} are the same number in float64, which "
        "has 15 digits",
        hint,
    )


def check_target(table: CsvTable, labels: np.ndarray, classes: Sequence[str] | None, name: str) -> None:
    """Raises DataError if the target is constant or has nearly as many classes as rows."""
    present = len(np.unique(labels))
    if present == 1:
        value = classes[int(labels[0])] if classes else f"{labels[0]:g}"
        raise DataError(f"{table.origin}: the target {name} is {value} in every row", "data.target=COLUMN")
    if classes is not None and len(classes) > len(labels) // 2 and len(classes) > 2:
        raise DataError(
            f"{table.origin}: the target {name} has {len(classes):,} classes in {len(labels):,} rows",
            "data.target=COLUMN, or data.kind=numbers for a column of numbers",
        )
