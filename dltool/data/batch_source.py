"""What the training draws its batches from."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.data.augment import Augmenter


@dataclass(frozen=True)
class SamplesInMemory:
    """All that a loop needs that draws its own batches of samples in memory.

    Attributes:
        inputs: `(N, …)`, neither resized nor scaled.
        targets: `(N, …)`.
        device: Where batches are wanted.
        batch_size: Samples a batch.
        batches_per_epoch: With drop_last, without the smaller last batch.
        shuffle: Whether each epoch has an order of its own.
        resize: Brings the images of a batch to the model's size; None where they have it.
        scaling: Makes float32 inputs of a batch; None where they are float32 already.
        augment: Variations of images; None without.
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
    """The same of one long text.

    Attributes:
        tokens: int32 `(N,)`, on the device where batches are wanted.
        batch_size: Rows a batch.
        length: Tokens a row.
        batching: See StreamSource.
    """

    tokens: Tensor
    batch_size: int
    length: int
    batching: Literal["columns", "crops"]


class BatchSource(ABC):
    """An endless stream of training batches, a function of the seed and of how many were drawn.

    Nothing random is kept between draws, so that setting `draws` to what it was resumes exactly, mid-epoch too.

    Attributes:
        draws: Batches drawn so far; may be set.
        batches_per_epoch: Batches in one pass; see keep_first_batches.
        repeats: Whether every pass draws what the first one does.
        unit: What `samples_per_epoch` counts.
        augment: How training images vary; None without augmentation.
    """

    batches_per_epoch: int
    unit: Literal["samples", "tokens"] = "samples"
    augment: Augmenter | None = None

    def __init__(self) -> None:
        self.draws = 0
        self.repeats = False

    @abstractmethod
    def draw(self) -> Batch:
        """The next batch."""

    @property
    @abstractmethod
    def samples_per_epoch(self) -> int:
        """Samples, or tokens, that one pass draws."""

    def samples_in_memory(self) -> SamplesInMemory | None:
        """The samples, where they lie in memory and batches of them need no other treatment; else None."""
        return None

    def tokens_in_memory(self) -> TokensInMemory | None:
        """The tokens, where batches are cut out of one long text; else None."""
        return None

    def examples(self, count: int) -> tuple[Tensor, Tensor] | None:
        """The first images of the training before and after augmentation, neither scaled; None without augmentation.

        Returns:
            Twice `(B, C, H, W)` with B at most `count`, in 0 … 255.
        """
        return None

    def first_inputs(self, count: int) -> Tensor | None:
        """The first `count` inputs of the training, all of the first pass where it has fewer, scaled and not augmented.

        Returns:
            float32 `(B, …)` on the device of the batches; None where the data has no single samples.
        """
        return None

    @property
    def epoch(self) -> int:
        """Passes that are finished."""
        return self.draws // self.batches_per_epoch

    def keep_first_batches(self, count: int, *, repeat: bool = False) -> None:
        """Let each pass end after `count` batches.

        Args:
            count: At least 1; a pass that has fewer stays as it is.
            repeat: Draw those of the first pass in every pass, and none augmented.
        """
        self.batches_per_epoch = min(count, self.batches_per_epoch)
        self.repeats = repeat

    def position(self, draw: int) -> tuple[int, int]:
        """The pass that decides on a draw, and the batch's number in it."""
        epoch, batch = divmod(draw, self.batches_per_epoch)
        return 0 if self.repeats else epoch, batch

    def copy_at_start(self) -> Self:
        """Another source of the same batches, of which none is drawn."""
        source = copy.copy(self)
        source.draws = 0
        return source
