"""A number that is summed, not averaged."""

from collections.abc import Sequence
from typing import Self

from dltool.metrics.mean import Mean


class Total(Mean):
    """A Mean whose value is its total, such as the number of mistakes of an epoch."""

    def __new__(cls, total: object, count: object = 1) -> "Total":
        return super().__new__(cls, total, 1)  # type: ignore[arg-type]

    def __add__(self, other: Mean) -> "Total":  # type: ignore[override]
        return Total(self.total + other.total)

    def since(self, earlier: Mean) -> "Total":
        return Total(self.total - earlier.total)

    def saved(self) -> float:
        return float(self.total)

    @classmethod
    def add_all(cls, start: Mean, parts: Sequence[Self]) -> "Total":
        return Total(super().add_all(start, parts).total)

    # Python tries the subclass first, so that Mean + Total is a Total too, as after a checkpoint of the sums.
    __radd__ = __add__
