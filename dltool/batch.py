"""One batch, as the data gives it and the tasks take it."""

from typing import NamedTuple

from torch import Tensor


class Batch(NamedTuple):
    """A batch, or one micro-batch of it, on the device and ready for the model.

    Attributes:
        inputs: float32, `(B, C, H, W)` or `(B, D)`.
        targets: int64 `(B,)` for classes, float32 `(B, target_dim)` for numbers.
        full_size: Samples in the whole batch that this is a part of; `len(targets)` for a whole one.
    """

    inputs: Tensor
    targets: Tensor
    full_size: int

    @property
    def size(self) -> int:
        return self.targets.shape[0]

    def split(self, num_parts: int) -> list["Batch"]:
        """Cut into at most `num_parts` micro-batches of nearly equal size; 10 in 2 gives 5 and 5."""
        if num_parts == 1:
            return [self]
        inputs, targets = self.inputs.tensor_split(num_parts), self.targets.tensor_split(num_parts)
        return [Batch(x, y, self.full_size) for x, y in zip(inputs, targets, strict=True) if len(y)]
