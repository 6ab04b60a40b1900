"""One batch, as data sources yield it and tasks take it."""

from itertools import accumulate
from typing import NamedTuple

from torch import Tensor


class Partners(NamedTuple):
    """The samples that the inputs of a batch were mixed with; see dltool.data.mixing.

    Attributes:
        targets: Targets of the partners, `(B,)`.
        weight: λ, the share that each input and its target keep of themselves, in [0, 1].
    """

    targets: Tensor
    weight: float


class Batch(NamedTuple):
    """A batch, or one micro-batch of it, on the device and ready for the model.

    Attributes:
        inputs: float32, `(B, C, H, W)`, `(B, D)` or `(B, T, D)`; int64 `(B, T)` for tokens.
        targets: int64 `(B,)` for classes, `(B, num_classes)` for several labels per sample, float32 `(B, target_dim)`
            for numbers, float32 `(B, C, H, W)` for images of another domain; see DataSpec.target for sequences. For
            word vectors, the reach of each window (dltool.data.window_source).
        full_size: Samples in the whole batch of which this is a part; `len(targets)` for a whole batch.
        partners: With mixup or cutmix, the samples that the inputs were mixed with.
        continues: Whether each row continues the same row of the previous batch, in a stream of text.
        labels: Where inputs and targets are images of two domains, the classes of each, int64 `(B,)`; used only by
            metrics. None where they are unknown.
        first_row: The place of the first sample in the whole batch.
    """

    inputs: Tensor
    targets: Tensor
    full_size: int
    partners: Partners | None = None
    continues: bool = False
    labels: tuple[Tensor, Tensor] | None = None
    first_row: int = 0

    @property
    def size(self) -> int:
        return self.targets.shape[0]

    @property
    def main_targets(self) -> Tensor:
        """The targets with the larger share in each input: its own, unless a partner has more than half."""
        return self.targets if self.partners is None or self.partners.weight >= 0.5 else self.partners.targets

    def split(self, num_parts: int) -> list["Batch"]:
        """Cut into at most `num_parts` micro-batches of nearly equal size; 10 in 2 gives 5 and 5."""
        if num_parts == 1:
            return [self]
        inputs, targets = self.inputs.tensor_split(num_parts), self.targets.tensor_split(num_parts)
        partners: list[Partners | None] = [None] * num_parts
        if self.partners is not None:
            partners = [Partners(y, self.partners.weight) for y in self.partners.targets.tensor_split(num_parts)]
        first_rows = accumulate(map(len, targets), initial=self.first_row)
        parts = zip(inputs, targets, partners, first_rows, strict=False)  # The last one is the row after them.
        return [
            Batch(x, y, self.full_size, mixed, self.continues, first_row=row) for x, y, mixed, row in parts if len(y)
        ]
