"""What a task calls with each evaluation batch."""

from typing import Protocol

from torch import Tensor

from dltool.core.batch import Batch


class Watcher(Protocol):
    """Observes the evaluated samples and the model's outputs for them."""

    @property
    def split(self) -> str | None:
        """The only split that it observes; None for every split."""
        ...

    def start(self) -> None:
        """Called before the first batch of a split; the evaluation before may have been interrupted."""
        ...

    def see(self, batch: Batch, outputs: Tensor) -> None:
        """Called with a batch and the model's outputs, float32 `(B, output_dim)`; must not wait for an accelerator."""
        ...
