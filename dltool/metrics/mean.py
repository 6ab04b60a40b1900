"""A mean stored as sum and count, so that the mean over uneven batches is exact."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor

SavedMean = tuple[float, float] | float  # Total and count of a mean, or only a total.


class Mean(NamedTuple):
    """A part of a mean: add the totals and the counts of all parts, then divide. Both are detached."""

    total: Tensor | float
    count: Tensor | float  # type: ignore[assignment]  # tuple.count is meant to be hidden.

    def __add__(self, other: "Mean") -> "Mean":  # type: ignore[override]
        """The sum, in float64: it must not depend on which process added up which micro-batches."""
        return Mean(in_double(self.total) + in_double(other.total), in_double(self.count) + in_double(other.count))

    def since(self, earlier: "Mean") -> "Mean":
        """The part that was added after `earlier`."""
        return Mean(self.total - earlier.total, self.count - earlier.count)

    def value(self) -> float:
        return float(self.total) / float(self.count) if float(self.count) else float("nan")

    def saved(self) -> SavedMean:
        """Plain numbers, for a checkpoint or another process; dltool.metrics.running_means restores them."""
        return float(self.total), float(self.count)

    @classmethod
    def add_all(cls, start: "Mean", parts: Sequence[Self]) -> "Mean":
        """`start` with the parts added one after the other, as Python floats."""
        total, count = float(start.total), float(start.count)
        totals, counts = cls.read(parts)
        for number in totals:  # Not sum(), which uses compensated summation since Python 3.12.
            total += number
        for number in counts:
            count += number
        return Mean(total, count)

    @staticmethod
    def read(parts: "Sequence[Mean]") -> tuple[list[float], list[float]]:
        """Totals and counts of the parts, each with a single transfer from their device."""
        return read_scalars([part[0] for part in parts]), read_scalars([part[1] for part in parts])


class MeanOver(Mean):
    """A Mean that keeps a mean and its count, and multiplies them when it is added up, not in the training step."""

    __slots__ = ()

    @property
    def total(self) -> Tensor | float:
        return self[0] * self[1]

    @staticmethod
    def read(parts: Sequence[Mean]) -> tuple[list[float], list[float]]:
        means, counts = Mean.read(parts)
        return [mean * count for mean, count in zip(means, counts, strict=True)], counts


def add_means(sums: dict[str, Mean], parts: dict[str, Mean]) -> None:
    """Add each part to the running sum of its name, in place."""
    for name, part in parts.items():
        sums[name] = sums[name] + part if name in sums else part


def in_double(number: Tensor | float) -> Tensor | float:
    """A number in float64 if it is a float and its device supports that."""
    is_exact = not isinstance(number, Tensor) or not number.is_floating_point() or number.device.type == "mps"
    return number if is_exact else number.double()  # type: ignore[union-attr]


def exact_sum(values: Tensor) -> Tensor:
    """The sum in float64 if the device supports it, so that it hardly depends on the division into batches."""
    return values.sum(dtype=torch.float32 if values.device.type == "mps" else torch.float64)


def read_scalars(scalars: Sequence[Tensor | float]) -> list[float]:
    """Scalars as floats, with a single transfer (and synchronization) if all are tensors of one device."""
    if all(isinstance(scalar, Tensor) for scalar in scalars):
        values: list[float] = torch.stack(scalars).tolist()  # type: ignore[arg-type]
        return values
    return [float(scalar) for scalar in scalars]
