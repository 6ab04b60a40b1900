"""Rows of numbers of at most 80 columns."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

NUM_SHOWN = 8  # Units of a layer; more are summarised.
NUM_COLUMNS = 7  # Of a matrix.
DIGITS = 9


def row(name: str, values: "Tensor") -> str:
    """A name and numbers, four to a line; more than NUM_SHOWN are summarised."""
    if len(values) > NUM_SHOWN:
        low, mean, high = (float(value) for value in (values.min(), values.double().mean(), values.max()))
        return f"  {name:<10} {len(values):,} numbers, {low:.4g} … {high:.4g}, mean {mean:.4g}"
    texts = [f"{float(value):>15.{DIGITS}g}" for value in values]
    parts = ["".join(texts[start : start + 4]) for start in range(0, len(texts), 4)]
    return f"  {name:<10}" + f"\n{'':12}".join(parts)


def table_lines(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table with right-aligned columns."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = [
        "   ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in (headings, *rows)
    ]
    return [f"  {line}".rstrip() for line in lines]


def agreement(error: float) -> str:
    """How far a formula is from the layer."""
    return f"  formula - layer: {error:.1e}"


def matrix_lines(name: str, values: "Tensor", marks: "Tensor | None" = None, mark: str = "") -> list[str]:
    """A name, and the rows of a matrix; more than NUM_COLUMNS rows or columns are summarised.

    Args:
        name: Above the rows.
        values: `(H, W)`.
        marks: True for the numbers that are printed as `mark`.
        mark: A sign.
    """
    if max(values.shape) > NUM_COLUMNS:
        return [row(name, values.flatten())]
    rows = [
        [mark if marks is not None and marks[i, j] else f"{float(value):.4g}" for j, value in enumerate(line)]
        for i, line in enumerate(values)
    ]
    return [f"  {name}", *("  " + "".join(f"{cell:>11}" for cell in line).rstrip() for line in rows)]
