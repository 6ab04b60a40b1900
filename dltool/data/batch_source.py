"""What the training draws its batches from."""

import copy
from abc import ABC, abstractmethod
from typing import Literal, Self

from torch import Tensor

from dltool.core.batch import Batch


class BatchSource(ABC):
    """An endless stream of training batches, a function of the seed and of how many were drawn.

    Nothing random is kept between draws, so that setting `draws` to what it was resumes exactly, mid-epoch too.

    Attributes:
        draws: Batches drawn so far; may be set.
        batches_per_epoch: Batches in one pass; see keep_first_batches.
        repeats: Whether every pass draws what the first one does.
        unit: What `samples_per_epoch` counts.
    """

    batches_per_epoch: int
    unit: Literal["samples", "tokens"] = "samples"

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

    @property
    def augmentation(self) -> str:
        """How inputs are augmented, in words; empty where they are not."""
        return ""

    def examples(self, count: int) -> tuple[Tensor, Tensor] | None:
        """The first images before and after augmentation, see TrainSource; None without augmentation."""
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
