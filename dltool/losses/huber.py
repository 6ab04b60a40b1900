"""Huber's loss."""

import torch.nn.functional as F
from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.declarations.component import Positive, register
from dltool.losses.criterion import Criterion


@register("loss", "huber", targets=("numbers",), head="targets", tasks=("supervised",))
class Huber(Criterion):
    """e²/2 for an error |e| up to delta, delta (|e| - delta/2) beyond (Huber 1964, doi:10.1214/aoms/1177703732).

    Summed over the target's components, averaged over the samples.

    Args:
        delta: The error at which the parabola becomes a line, in units of the targets.
    """

    def __init__(self, spec: DataSpec, *, delta: Positive[float] = 1.0) -> None:
        super().__init__(spec)
        self.delta = delta

    def __call__(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        return F.huber_loss(outputs, targets, reduction="sum", delta=self.delta) / len(targets), len(targets)
