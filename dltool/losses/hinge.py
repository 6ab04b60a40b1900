"""The hinge losses of multi-class support vector machines."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.declarations.component import Positive, register
from dltool.losses.criterion import Criterion


@register("loss", "hinge", targets=("classes", "binary"), head="classes", tasks=("supervised",))
class Hinge(Criterion):
    """The amounts by which wrong classes violate the margin of the true one, averaged over the samples.

    With scores s and true class y the violations are max(0, margin + s_j - s_y) over j ≠ y. On a linear
    model with an L2 penalty (task.l2) this is the multi-class SVM.

    Args:
        violations: "sum" adds them up (Weston and Watkins 1999; torch's MultiMarginLoss divides that by the
            number of classes), "max" takes the largest (Crammer and Singer 2001).
        margin: Required lead of the true class, in units of the scores.
    """

    def __init__(
        self, spec: DataSpec, *, violations: Literal["sum", "max"] = "sum", margin: Positive[float] = 1.0
    ) -> None:
        super().__init__(spec)
        self.violations = violations
        self.margin = margin

    def __call__(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        true_class = F.one_hot(targets, outputs.shape[1]).bool()  # (B, K)
        true_scores = outputs.gather(1, targets[:, None])  # (B, 1)
        excess = (self.margin + outputs - true_scores).clamp(min=0).masked_fill(true_class, 0)
        per_sample = excess.sum(dim=1) if self.violations == "sum" else excess.amax(dim=1)
        return per_sample.mean(), len(targets)
