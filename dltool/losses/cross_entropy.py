"""Cross-entropy over classes."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from dltool.core.errors import ConfigError
from dltool.core.numerals import counted
from dltool.core.shell import setting
from dltool.core.spec import IGNORED, DataSpec
from dltool.declarations.component import Fraction, NonNegative, register
from dltool.losses.criterion import Criterion


@register(
    "loss",
    "cross_entropy",
    targets=("classes", "binary", "tags", "next_token", "sequence"),
    head="classes",
    tasks=("supervised", "tagging", "language_model", "cloze", "translation", "word2vec"),
    default_for=("classes", "tags", "next_token", "sequence"),
)
class CrossEntropy(Criterion):
    """-log softmax(outputs)[target], in nats, averaged over the samples, without those whose target is IGNORED.

    With class weights w it is the weighted mean sum_i w[y_i] loss_i / sum_i w[y_i], and the count is
    sum_i w[y_i]. With label smoothing ε the target is 1 - ε + ε/K for the true class and ε/K for the K - 1
    others (Szegedy et al. 2016, arXiv:1512.00567, section 7). Each of the two alone is as in torch. With both, torch
    weights the smoothed terms by their own classes; here a sample has one weight, that of its class.
    Both also apply in the evaluation.

    Args:
        label_smoothing: ε.
        class_weights: One weight per class, in the order of the classes; null weights all equally.

    Raises:
        ConfigError: If class_weights does not have one weight per class, or no weight is above zero.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        label_smoothing: Fraction[float] = 0.0,
        class_weights: list[NonNegative[float]] | None = None,
    ) -> None:
        super().__init__(spec)
        self.label_smoothing = label_smoothing
        self.class_weights = None if class_weights is None else weight_vector(class_weights, spec)
        self.is_likelihood = not label_smoothing and class_weights is None

    def __call__(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor | int]:
        if self.class_weights is None:
            loss = F.cross_entropy(outputs, targets, ignore_index=IGNORED, label_smoothing=self.label_smoothing)
            return loss, len(targets) if self.spec.target in ("classes", "binary") else (targets != IGNORED).sum()
        self.class_weights = self.class_weights.to(outputs.device)  # Copies once, in the first step.
        weights = self.class_weights[targets.clamp(min=0)] * (targets != IGNORED)  # (B,)
        losses = F.cross_entropy(
            outputs, targets, ignore_index=IGNORED, label_smoothing=self.label_smoothing, reduction="none"
        )
        count = weights.sum()
        # A micro-batch whose samples all have weight zero has mean 0 and count 0.
        return (weights * losses).sum() / count.clamp(min=torch.finfo(weights.dtype).tiny), count

    def probabilities(self, outputs: Tensor) -> Tensor:
        return outputs.softmax(dim=1)

    def pool(self, views: Tensor) -> Tensor:
        return views.log_softmax(dim=2).logsumexp(dim=0) - math.log(len(views))


def weight_vector(weights: list[float], spec: DataSpec) -> Tensor:
    if len(weights) != spec.num_classes:
        raise ConfigError(
            f"loss.class_weights has {counted(len(weights), 'weight')}, the data {spec.num_classes} classes",
            hint=setting("loss.class_weights", [1] * spec.num_classes),
        )
    if not any(weights):
        raise ConfigError("loss.class_weights are all zero", hint="loss.class_weights=null")
    return torch.tensor(weights)
