"""Precision, recall and F1: for the positive class of two, or averaged over classes or labels."""

import torch
from torch import Tensor

from dltool.declarations.component import register
from dltool.metrics.accuracy import predicted_labels
from dltool.metrics.confusion import ConfusionMetric
from dltool.metrics.metric import UndefinedMetric

SHOWN = 3  # Classes that a message names.


class ClassRate(ConfusionMetric):
    """A rate per class: a fraction computed from its correct predictions, its predictions and its samples.

    A class that has no sample in the split and is never predicted is left out of averages. For any other class a rate
    of 0 / 0 is undefined, and so is the mean (scikit-learn counts a 0, with a warning).

    Attributes:
        counts: See ConfusionMetric. Where samples have several labels, int64 `(3, num_classes)`: correct predictions of
            each label, all its predictions, and its samples.
    """

    undefined_where: str

    def fraction(self, hits: Tensor, predicted: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
        """Numerators and denominators `(K,)` from the counts of each class, float64 `(K,)`."""
        raise NotImplementedError

    def reset(self) -> None:
        super().reset()
        if self.spec.target == "labels":
            self.counts = torch.zeros(3, self.spec.num_classes, dtype=torch.int64)

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        if self.spec.target != "labels":
            super().update(outputs, targets)
            return
        predicted, true = predicted_labels(outputs), targets.bool()
        self.counts = self.counts.to(outputs.device)  # Copies once, with the first batch.
        self.counts += torch.stack([(predicted & true).sum(0), predicted.sum(0), true.sum(0)])

    def of_each(self) -> tuple[Tensor, Tensor, Tensor]:
        """Correct predictions, predictions and samples of each class, float64 `(K,)` on the host."""
        counts = self.counts.cpu().double()
        if self.spec.target == "labels":
            return counts[0], counts[1], counts[2]
        return counts.diag(), counts.sum(dim=0), counts.sum(dim=1)

    def fractions(self) -> tuple[Tensor, Tensor]:
        """Numerators and denominators of all classes, float64 `(K,)` each, on the host."""
        return self.fraction(*self.of_each())

    def of_second_class(self) -> float:
        """The rate of class 1, the positive class of two."""
        numerators, denominators = self.fractions()
        if denominators[1] == 0:
            raise UndefinedMetric(f"{self.undefined_where} {self.spec.class_names[1]}")
        return float(numerators[1] / denominators[1])

    def macro(self) -> float:
        """The plain mean of the classes' rates."""
        numerators, denominators = self.fractions()
        _, predicted, true = self.of_each()
        occurring = (predicted + true) > 0
        if not occurring.any():
            raise UndefinedMetric("the split has no label, and none was predicted")
        if missing := [self.spec.class_names[i] for i in (occurring & (denominators == 0)).nonzero().flatten()]:
            more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
            raise UndefinedMetric(f"{self.undefined_where} {', '.join(missing[:SHOWN])}{more}")
        return float((numerators[occurring] / denominators[occurring]).mean())

    def micro(self) -> float:
        """The rate of all classes' counts together; where each sample has one class, it is the accuracy."""
        numerators, denominators = self.fractions()
        if denominators.sum() == 0:
            raise UndefinedMetric(f"{self.undefined_where} any label")
        return float(numerators.sum() / denominators.sum())


@register("metric", "precision", of="outputs", targets=("binary",), direction="max")
class Precision(ClassRate):
    """TP / (TP + FP) of the positive class: the share of its predictions that are correct."""

    undefined_where = "no sample was predicted as"

    def fraction(self, hits: Tensor, predicted: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
        return hits, predicted

    def compute(self) -> float:
        return self.of_second_class()


@register("metric", "precision_macro", of="outputs", targets=("classes", "binary", "tags", "labels"), direction="max")
class PrecisionMacro(Precision):
    """The mean of the classes' precisions."""

    def compute(self) -> float:
        return self.macro()


@register("metric", "precision_micro", of="outputs", targets=("classes", "binary", "tags", "labels"), direction="max")
class PrecisionMicro(Precision):
    """The precision over all classes' counts, which is the accuracy unless samples have several labels."""

    def compute(self) -> float:
        return self.micro()


@register("metric", "recall", of="outputs", targets=("binary",), direction="max")
class Recall(ClassRate):
    """TP / (TP + FN) of the positive class: the share of its samples that are found."""

    undefined_where = "the split has no sample of"

    def fraction(self, hits: Tensor, predicted: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
        return hits, true

    def compute(self) -> float:
        return self.of_second_class()


@register("metric", "recall_macro", of="outputs", targets=("classes", "binary", "tags", "labels"), direction="max")
class RecallMacro(Recall):
    """The mean of the classes' recalls, also called balanced accuracy."""

    def compute(self) -> float:
        return self.macro()


@register("metric", "recall_micro", of="outputs", targets=("classes", "binary", "tags", "labels"), direction="max")
class RecallMicro(Recall):
    """The recall over all classes' counts, which is the accuracy unless samples have several labels."""

    def compute(self) -> float:
        return self.micro()


@register("metric", "f1", of="outputs", targets=("binary",), direction="max")
class F1(ClassRate):
    """2 TP / (2 TP + FP + FN) of the positive class, the harmonic mean of its precision and recall."""

    undefined_where = "the split has no sample of, and no sample was predicted as,"

    def fraction(self, hits: Tensor, predicted: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
        return 2 * hits, predicted + true

    def compute(self) -> float:
        return self.of_second_class()


@register("metric", "f1_macro", of="outputs", targets=("classes", "binary", "tags", "labels"), direction="max")
class F1Macro(F1):
    """The mean of the classes' F1 scores, with 0 for a class without true positives."""

    def compute(self) -> float:
        return self.macro()


@register("metric", "f1_micro", of="outputs", targets=("classes", "binary", "tags", "labels"), direction="max")
class F1Micro(F1):
    """The F1 score over all classes' counts, which is the accuracy unless samples have several labels."""

    def compute(self) -> float:
        return self.micro()
