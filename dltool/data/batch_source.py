"""The source of training batches."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.data.augment import Augmenter

RowsOf = Callable[[int], slice]
IsOwn = Callable[[int], bool]  # Whether this process evaluates the batch of a number, from 0.


def every(number: int) -> bool:
    """All batches are this process's own."""
    del number
    return True


@dataclass(frozen=True)
class SamplesInMemory:
    """Everything that a loop needs to draw its own batches from samples in memory.

    Attributes:
        inputs: `(N, …)`, neither resized nor scaled.
        targets: `(N, …)`.
        device: The device of the batches.
        batch_size: Samples per batch.
        batches_per_epoch: Batches in one epoch; with drop_last, without the smaller last batch.
        shuffle: Whether each epoch has its own order.
        resize: Resizes the images of a batch to the model's size; None where they have it.
        scaling: Converts a batch to float32 inputs; None where they are float32 already.
        augment: The augmentation of images; None without augmentation.
    """

    inputs: Tensor
    targets: Tensor
    device: torch.device
    batch_size: int
    batches_per_epoch: int
    shuffle: bool
    resize: Callable[[Tensor], Tensor] | None
    scaling: Callable[[Tensor], Tensor] | None
    augment: Augmenter | None


@dataclass(frozen=True)
class TokensInMemory:
    """Everything that a loop needs to draw its own batches from one long text.

    Attributes:
        tokens: int32 `(N,)`, on the device of the batches.
        batch_size: Rows per batch.
        length: Tokens per row.
        batching: See StreamSource.
    """

    tokens: Tensor
    batch_size: int
    length: int
    batching: Literal["columns", "crops"]


class BatchSource(ABC):
    """An endless stream of training batches, a function of the seed and of the number of batches drawn.

    No random state is kept between draws: setting `draws` to its earlier value resumes exactly, also mid-epoch.

    Attributes:
        draws: Batches drawn so far; may be set.
        batches_per_epoch: Batches in one epoch; see keep_first_batches.
        repeats: Whether every epoch draws the batches of the first.
        unit: The unit of `samples_per_epoch`.
        augment: The augmentation of training images; None without augmentation.
    """

    batches_per_epoch: int
    unit: Literal["samples", "tokens"] = "samples"
    augment: Augmenter | None = None

    def __init__(self) -> None:
        self.draws = 0
        self.repeats = False

    @abstractmethod
    def draw(self) -> Batch:
        """Draw the next batch."""

    @property
    @abstractmethod
    def samples_per_epoch(self) -> int:
        """The number of samples, or tokens, in one epoch."""

    def samples_in_memory(self) -> SamplesInMemory | None:
        """The samples, if they are in memory and their batches need no other processing; else None."""
        return None

    def tokens_in_memory(self) -> TokensInMemory | None:
        """The tokens, if batches are cut out of one long text; else None."""
        return None

    def examples(self, count: int) -> tuple[Tensor, Tensor] | None:
        """The first training images before and after augmentation, both unscaled; None without augmentation.

        Returns:
            Two tensors `(B, C, H, W)` with B at most `count`, in 0 … 255.
        """
        return None

    def first_inputs(self, count: int) -> Tensor | None:
        """The first `count` training inputs, or all of the first epoch if it has fewer, scaled and not augmented.

        Returns:
            float32 `(B, …)` on the device of the batches; None where the data has no single samples.
        """
        return None

    def last_samples(self) -> list[int]:
        """The positions in the training split of the samples that were drawn last; empty where it has no samples."""
        return []

    @property
    def epoch(self) -> int:
        """The number of finished epochs."""
        return self.draws // self.batches_per_epoch

    def keep_first_batches(self, count: int, *, repeat: bool = False) -> None:
        """End each epoch after `count` batches.

        Args:
            count: At least 1; an epoch with fewer batches stays as it is.
            repeat: Draw the batches of the first epoch in every epoch, without augmentation.
        """
        self.batches_per_epoch = min(count, self.batches_per_epoch)
        self.repeats = repeat

    def divide(self, rows_of: RowsOf) -> None:  # noqa: B027 (streams and texts are cheap to draw)
        """Draw only this process's rows of each batch, if that saves time; else batches stay whole.

        Args:
            rows_of: The rows of this process in a batch of a given size.
        """

    def position(self, draw: int) -> tuple[int, int]:
        """The epoch of a draw, and the batch's index in it."""
        epoch, batch = divmod(draw, self.batches_per_epoch)
        return 0 if self.repeats else epoch, batch

    def copy_at_start(self) -> Self:
        """A copy of this source with no batches drawn."""
        source = copy.copy(self)
        source.draws = 0
        return source
