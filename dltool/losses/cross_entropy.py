"""Cross-entropy over classes."""

import math
from typing import Literal

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
    Both also apply in the evaluation: the validation loss, too, is weighted.

    Args:
        label_smoothing: ε.
        class_weights: One weight per class, in the order of the classes; null weights all equally. "balanced" is
            n / (K n_c) for a class with n_c of the n training samples, as scikit-learn defines it.

    Raises:
        ConfigError: If class_weights does not have one weight per class, or no weight is above zero; if the training
            split has no sample of a class and the weights are "balanced".
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        label_smoothing: Fraction[float] = 0.0,
        class_weights: list[NonNegative[float]] | Literal["balanced"] | None = None,
    ) -> None:
        super().__init__(spec)
        self.label_smoothing = label_smoothing
        weights = balanced_weights(spec) if class_weights == "balanced" else class_weights
        self.class_weights = None if weights is None else weight_vector(weights, spec)
        if class_weights == "balanced":
            self.choices = {"loss.class_weights": weights}
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


def balanced_weights(spec: DataSpec) -> list[float]:
    """n / (K n_c) for each class; the mean weight of the training samples is 1."""
    if not spec.class_counts:
        raise ConfigError(
            f"loss.class_weights=balanced needs classes, but the targets are {spec.target}", "loss.class_weights=null"
        )
    if missing := [name for name, count in zip(spec.class_names, spec.class_counts, strict=True) if count == 0]:
        raise ConfigError(
            f"loss.class_weights=balanced: the training split has no sample of {missing[0]}",
            "remove the class, or list the weights, 'loss.class_weights=[…]'",
        )
    return [spec.train_size / (spec.num_classes * count) for count in spec.class_counts]


def weight_vector(weights: list[float], spec: DataSpec) -> Tensor:
    if len(weights) != spec.num_classes:
        raise ConfigError(
            f"loss.class_weights has {counted(len(weights), 'weight')}, the data {spec.num_classes} classes",
            hint=setting("loss.class_weights", [1] * spec.num_classes),
        )
    if not any(weights):
        raise ConfigError("loss.class_weights are all zero", hint="loss.class_weights=null")
    return torch.tensor(weights)
