"""Mean squared error."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.declarations.component import register
from dltool.losses.criterion import Criterion


@register(
    "loss",
    "mse",
    targets=("numbers", "classes", "binary"),
    head="targets",
    tasks=("supervised", "autoencoder"),
    default_for=("numbers", "autoencoder"),
)
class MSE(Criterion):
    """The squared error ‖output - target‖², summed over the target's components, averaged over the samples.

    The mean is over samples. torch's MSELoss also divides by the number of components, which gives the same for a
    single number and 1/target_dim of this for several. Classes are compared with their one-hot codes,
    1 for the true class and 0 for the others, as networks were trained before cross-entropy. An autoencoder's
    targets are its inputs.

    Args:
        reduction: "mean" is 1/m times the sum over the batch's m samples. "half" is 1/(2m) times it, as in derivations
            whose gradient has no factor 2. "sum" is the sum itself: its gradient, and so the best learning rate,
            depends on the batch size. The log shows "sum" per sample.
    """

    def __init__(self, spec: DataSpec, *, reduction: Literal["mean", "half", "sum"] = "mean") -> None:
        super().__init__(spec)
        self.factor = 0.5 if reduction == "half" else 1.0
        self.sums = reduction == "sum"
        self.nats = 2 * self.factor

    def __call__(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        if not targets.is_floating_point():
            targets = F.one_hot(targets, outputs.shape[1]).to(outputs.dtype)  # (B,) -> (B, K)
        return F.mse_loss(outputs, targets, reduction="sum") * (self.factor / len(targets)), len(targets)
