"""Cross-entropy of yes-or-no decisions: of two classes on one logit, or of several labels on one logit each."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from dltool.core.errors import ConfigError
from dltool.core.shell import setting
from dltool.core.spec import DataSpec
from dltool.declarations.component import Positive, register
from dltool.losses.criterion import Criterion


@register(
    "loss",
    "binary_cross_entropy",
    targets=("binary", "labels"),
    head="one",
    tasks=("supervised",),
    default_for=("binary", "labels"),
)
class BinaryCrossEntropy(Criterion):
    """-y log σ(a) - (1 - y) log(1 - σ(a)) of the logit a, in nats, averaged over the samples.

    If samples have several labels, each label has a logit, and the mean is over labels and samples.

    Args:
        pos_weight: Factor of the first term: above 1 it trades precision for recall of the positive class. As in torch,
            the mean is over the number of samples, not over the sum of the weights. For several labels, one factor for
            all, or a list with one per label. "balanced" is the number of negative training samples divided by that of
            the positive ones, for each label. It also applies in the evaluation.

    Raises:
        ConfigError: The data has more than two classes, pos_weight has another number of factors than the data labels,
            or no training sample is positive where it is "balanced".
    """

    def __init__(
        self, spec: DataSpec, *, pos_weight: Positive[float] | list[Positive[float]] | Literal["balanced"] = 1.0
    ) -> None:
        super().__init__(spec)
        self.several = spec.target == "labels"
        if not self.several and spec.num_classes != 2:
            raise ConfigError(
                f"loss=binary_cross_entropy is for two classes, but the data has {spec.num_classes}",
                "loss=cross_entropy",
            )
        if pos_weight == "balanced":
            factors = balanced_factors(spec)
            pos_weight = factors if self.several else factors[0]
            self.choices = {"loss.pos_weight": pos_weight}
        if isinstance(pos_weight, list):
            check_factors(pos_weight, spec)
        self.pos_weight = torch.tensor(pos_weight) if isinstance(pos_weight, list) else pos_weight

    def __call__(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        logits = outputs if self.several else outputs.squeeze(1)  # (B, 1) -> (B,)
        labels = targets.to(outputs.dtype)
        if isinstance(self.pos_weight, Tensor):
            self.pos_weight = self.pos_weight.to(outputs.device)  # Copies once, in the first step.
            weights: Tensor | None = 1 + (self.pos_weight - 1) * labels
        else:
            weights = None if self.pos_weight == 1 else 1 + (self.pos_weight - 1) * labels
        return F.binary_cross_entropy_with_logits(logits, labels, weights), len(targets)

    def probabilities(self, outputs: Tensor) -> Tensor:
        if self.several:
            return outputs.sigmoid()
        return torch.cat([(-outputs).sigmoid(), outputs.sigmoid()], dim=1)  # Exact near 0, unlike 1 - σ(a).

    def pool(self, views: Tensor) -> Tensor:
        # log(mean of σ(a)) - log(mean of σ(-a)); the common divisor cancels.
        return F.logsigmoid(views).logsumexp(dim=0) - F.logsigmoid(-views).logsumexp(dim=0)


def check_factors(factors: list[float], spec: DataSpec) -> None:
    """Raises ConfigError unless the data has one label for each factor."""
    if spec.target != "labels":
        raise ConfigError("loss.pos_weight is a list, but each sample has one of two classes", "loss.pos_weight=1.0")
    if len(factors) != spec.num_classes:
        raise ConfigError(
            f"loss.pos_weight has {len(factors)} factors, the data {spec.num_classes} labels",
            setting("loss.pos_weight", [1.0] * spec.num_classes),
        )


def balanced_factors(spec: DataSpec) -> list[float]:
    """Negative over positive training samples: of each label, or of the second of two classes."""
    counts = spec.class_counts if spec.target == "labels" else spec.class_counts[1:]
    names = spec.class_names if spec.target == "labels" else spec.class_names[1:]
    for name, count in zip(names, counts, strict=True):
        if count == 0:
            raise ConfigError(
                f"loss.pos_weight=balanced: the training split has no sample of {name}", "loss.pos_weight=1.0"
            )
    return [max(spec.train_size - count, 1) / count for count in counts]
