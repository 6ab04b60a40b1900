"""Rows of numbers of at most 80 columns."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

NUM_SHOWN = 8  # Units of a layer; more are summarised.
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
