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

    m counts samples: torch's MSELoss divides by the number of components as well, which is the same for a
    single number and a target_dim-th of this for several. Classes are compared with their one-hot codes,
    1 for the true class and 0 for the others, as networks were trained before cross-entropy. An autoencoder's
    targets are its inputs.

    Args:
        reduction: "mean" is 1/m times the sum over the batch's m samples, "half" 1/(2m), as in derivations
            whose gradient shall have no factor 2, and "sum" the sum itself, whose gradient, and so the
            best learning rate, depends on the batch size. The log shows "sum" per sample.
    """

    def __init__(self, spec: DataSpec, *, reduction: Literal["mean", "half", "sum"] = "mean") -> None:
        super().__init__(spec)
        self.factor = 0.5 if reduction == "half" else 1.0
        self.sums = reduction == "sum"

    def __call__(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        if not targets.is_floating_point():
            targets = F.one_hot(targets, outputs.shape[1]).to(outputs.dtype)  # (B,) -> (B, K)
        return F.mse_loss(outputs, targets, reduction="sum") * (self.factor / len(targets)), len(targets)
