"""PGD on the difference of logits instead of the cross-entropy."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from dltool.attacks.pgd import PGD
from dltool.declarations.component import NonNegative, register


@register("attack", "margin")
class Margin(PGD):
    """Maximize min(max over i ≠ y of Z_i - Z_y, κ), Z the logits, by the steps of PGD.

    The objective is f_6 of Carlini and Wagner (2017, arXiv:1608.04644, section V.A), untargeted. Deviation: they search
    for the smallest perturbation with Adam; here the ball is given and PGD ascends in it, as in Madry et al. (2018,
    arXiv:1706.06083, "CW"). Where a confident model's cross-entropy is flat, the margin still has a gradient.

    Args:
        confidence: κ: lead of the wrong class at which a sample no longer changes; 50 in Madry's code.
        shared: See PGD.
    """

    def __init__(self, *, confidence: NonNegative[float] = 50.0, **shared: Any) -> None:
        super().__init__(**shared)
        self.confidence = confidence

    def objective(self, logits: Tensor, labels: Tensor) -> Tensor:
        true = F.one_hot(labels, logits.shape[1]).bool()
        wrong = logits.masked_fill(true, -torch.inf).amax(1)
        return (wrong - logits[true]).clamp(max=self.confidence)

    def describe(self) -> str:
        return f"margin, {super().describe()}"
