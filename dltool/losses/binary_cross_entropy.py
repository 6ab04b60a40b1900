"""Cross-entropy of two classes on one logit."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.declarations.component import Positive, register
from dltool.losses.criterion import Criterion


@register(
    "loss", "binary_cross_entropy", targets=("binary",), head="one", tasks=("supervised",), default_for=("binary",)
)
class BinaryCrossEntropy(Criterion):
    """-y log σ(a) - (1 - y) log(1 - σ(a)) of the logit a, in nats, averaged over the samples.

    Args:
        pos_weight: Factor of the first term: above 1 it trades precision for recall of the second class. As in torch,
            the mean is over the number of samples, not over the sum of the weights.
    """

    def __init__(self, spec: DataSpec, *, pos_weight: Positive[float] = 1.0) -> None:
        super().__init__(spec)
        self.pos_weight = pos_weight

    def __call__(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        logits, labels = outputs.squeeze(1), targets.to(outputs.dtype)  # (B, 1) -> (B,)
        weights = None if self.pos_weight == 1 else 1 + (self.pos_weight - 1) * labels
        return F.binary_cross_entropy_with_logits(logits, labels, weights), len(targets)

    def probabilities(self, outputs: Tensor) -> Tensor:
        return torch.cat([(-outputs).sigmoid(), outputs.sigmoid()], dim=1)  # Exact near 0, unlike 1 - σ(a).

    def pool(self, views: Tensor) -> Tensor:
        # log(mean of σ(a)) - log(mean of σ(-a)); the common divisor cancels.
        return F.logsigmoid(views).logsumexp(dim=0) - F.logsigmoid(-views).logsumexp(dim=0)
