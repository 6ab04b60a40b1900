"""The interface that measures the samples of a generative task."""

from collections.abc import Callable, Mapping
from typing import Protocol

from torch import Tensor

from dltool.core.batch import Batch

Draw = Callable[[int], tuple[Tensor, Tensor | None]]  # Draws a number of samples, with the requested classes.


class SampleEvaluator(Protocol):
    """Compares samples of a model with held-out data.

    Attributes:
        undefined: Name to reason of the measures that had no value in the newest evaluation.
    """

    undefined: Mapping[str, str]

    @property
    def remarks(self) -> list[str]:
        """Messages for the user about the newest measures: their full names and their floor."""
        ...

    def start(self, split: str) -> None:
        """Called before the first batch of a split; the evaluation before may have been interrupted."""
        ...

    def see(self, batch: Batch) -> None:
        """Called with each batch of the split; must not wait for an accelerator."""
        ...

    def measure(self, draw: Draw) -> dict[str, float]:
        """The values of the requested metrics by name, after all batches of the split."""
        ...
