"""A mean as its sum and its count, so that uneven batches average exactly."""

from typing import NamedTuple

from torch import Tensor


class Mean(NamedTuple):
    """A part of a mean: add the totals and the counts of all parts, then divide. Both are detached."""

    total: Tensor | float
    count: Tensor | int  # type: ignore[assignment]  # tuple.count is meant to be hidden.

    def __add__(self, other: "Mean") -> "Mean":  # type: ignore[override]
        return Mean(self.total + other.total, self.count + other.count)

    def value(self) -> float:
        return float(self.total) / float(self.count) if float(self.count) else float("nan")


def add_means(sums: dict[str, Mean], parts: dict[str, Mean]) -> None:
    """Add each part to the running sum of its name, in place."""
    for name, part in parts.items():
        sums[name] = sums[name] + part if name in sums else part
