"""What a task that draws samples needs to have them measured."""

from collections.abc import Callable, Mapping
from typing import Protocol

from torch import Tensor

from dltool.core.batch import Batch

Draw = Callable[[int], tuple[Tensor, Tensor | None]]  # So many samples, and the classes that were asked for.


class SampleEvaluator(Protocol):
    """Compares samples of a model with held-out data.

    Attributes:
        undefined: Name to reason of the measures that had no value in the newest evaluation.
    """

    undefined: Mapping[str, str]

    @property
    def remarks(self) -> list[str]:
        """What the user should know of the newest measures: their full names, the floor beside them."""
        ...

    def start(self, split: str) -> None:
        """Before the first batch of a split; the one before may have been broken off."""
        ...

    def see(self, batch: Batch) -> None:
        """A batch of the split; must not wait for an accelerator."""
        ...

    def measure(self, draw: Draw) -> dict[str, float]:
        """Name to value of what was asked for, once the whole split was seen."""
        ...
