"""The columns of a table as model inputs, and their lookup in a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from dltool.core.errors import DataError
from dltool.core.hints import nearest
from dltool.data.arrays import Column
from dltool.data.notation import Notation

Rows = Sequence[int] | Tensor  # The position of each row in its file.


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers becomes one input, `(number - shift) * factor`.

    Attributes:
        fill: Replaces a missing cell; None refuses missing cells.
        notation: How the training file writes the numbers, if not as Python does.
    """

    name: str
    shift: float
    factor: float
    fill: float | None = None
    notation: Notation | None = None

    width = 1

    def examples(self, count: int, source: torch.Generator) -> Tensor:
        """Inputs of the model, float32 `(count, width)`."""
        return torch.randn(count, 1, generator=source)


@dataclass(frozen=True)
class CategoryColumn:
    """A column of categories becomes one input per category, 1 for the row's category and 0 for the others.

    Attributes:
        categories: Those of the training split, in the order of their inputs.
        fill: The category that replaces a missing cell; None refuses missing cells.
        unknown: "refuse" raises an error for any other category, "ignore" sets all inputs to 0.
    """

    name: str
    categories: tuple[str, ...]
    fill: str | None = None
    unknown: Literal["refuse", "ignore"] = "refuse"

    @property
    def width(self) -> int:
        return len(self.categories)

    def examples(self, count: int, source: torch.Generator) -> Tensor:
        """Inputs of the model, float32 `(count, width)`: a random category for each row."""
        codes = torch.randint(0, self.width, (count,), generator=source)
        return F.one_hot(codes, self.width).float()


def find(name: str, names: Sequence[str], origin: str) -> int:
    """The position of a name. Raises DataError if it does not exist."""
    if name in names:
        return list(names).index(name)
    near = nearest(name, names)
    raise DataError(
        f"{origin} has no column {name}; it has {', '.join(names[:20])}",
        f"is it called {near} there? rename it" if near else "the columns of the training file are needed",
    )


def filling(present: Tensor, column: Column) -> Tensor:
    """The mean, or the most frequent value; at a tie, the smallest."""
    if column.fill == "mean" and column.categories is None:
        return present.double().mean()
    values, counts = present.unique(return_counts=True)
    return values[counts.argmax()]


def place(origin: str, rows: Rows | None, row: int, name: str) -> str:
    return f"{origin}: row {row + 1 if rows is None else int(rows[row])}, column {name}"
