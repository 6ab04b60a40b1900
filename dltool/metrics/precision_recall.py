"""Precision, recall and F1: for the second of two classes, or averaged over classes."""

from torch import Tensor

from dltool.declarations.component import register
from dltool.metrics.confusion import ConfusionMetric
from dltool.metrics.metric import UndefinedMetric

SHOWN = 3  # Classes that a message names.


class ClassRate(ConfusionMetric):
    """A rate per class: a fraction computed from its correct predictions, its predictions and its samples.

    A class that has no sample in the split and is never predicted is left out of averages. For any other class a rate
    of 0 / 0 is undefined, and so is the mean (scikit-learn counts a 0, with a warning).
    """

    undefined_where: str

    def fraction(self, hits: Tensor, predicted: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
        """Numerators and denominators `(K,)` from the counts of each class, float64 `(K,)`."""
        raise NotImplementedError

    def fractions(self) -> tuple[Tensor, Tensor]:
        """Numerators and denominators of all classes, float64 `(K,)` each, on the host."""
        counts = self.counts.cpu().double()
        return self.fraction(counts.diag(), counts.sum(dim=0), counts.sum(dim=1))

    def of_second_class(self) -> float:
        """The rate of class 1, the positive class of two."""
        numerators, denominators = self.fractions()
        if denominators[1] == 0:
            raise UndefinedMetric(f"{self.undefined_where} {self.spec.class_names[1]}")
        return float(numerators[1] / denominators[1])

    def macro(self) -> float:
        """The plain mean of the classes' rates."""
        numerators, denominators = self.fractions()
        occurring = (self.counts.sum(dim=0) + self.counts.sum(dim=1)).cpu() > 0
        if missing := [self.spec.class_names[i] for i in (occurring & (denominators == 0)).nonzero().flatten()]:
            more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
            raise UndefinedMetric(f"{self.undefined_where} {', '.join(missing[:SHOWN])}{more}")
        return float((numerators[occurring] / denominators[occurring]).mean())

    def micro(self) -> float:
        """The rate of all classes' counts together; each sample has one class, so it is the accuracy."""
        numerators, denominators = self.fractions()
        return float(numerators.sum() / denominators.sum())


@register("metric", "precision", of="outputs", targets=("binary",), direction="max")
class Precision(ClassRate):
    """TP / (TP + FP) of the second class: the share of its predictions that are correct."""

    undefined_where = "no sample was predicted as"

    def fraction(self, hits: Tensor, predicted: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
        return hits, predicted

    def compute(self) -> float:
        return self.of_second_class()


@register("metric", "precision_macro", of="outputs", targets=("classes", "binary", "tags"), direction="max")
class PrecisionMacro(Precision):
    """The mean of the classes' precisions."""

    def compute(self) -> float:
        return self.macro()


@register("metric", "precision_micro", of="outputs", targets=("classes", "binary", "tags"), direction="max")
class PrecisionMicro(Precision):
    """The precision over all classes' counts, which is the accuracy."""

    def compute(self) -> float:
        return self.micro()


@register("metric", "recall", of="outputs", targets=("binary",), direction="max")
class Recall(ClassRate):
    """TP / (TP + FN) of the second class: the share of its samples that are found."""

    undefined_where = "the split has no sample of"

    def fraction(self, hits: Tensor, predicted: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
        return hits, true

    def compute(self) -> float:
        return self.of_second_class()


@register("metric", "recall_macro", of="outputs", targets=("classes", "binary", "tags"), direction="max")
class RecallMacro(Recall):
    """The mean of the classes' recalls, also called balanced accuracy."""

    def compute(self) -> float:
        return self.macro()


@register("metric", "recall_micro", of="outputs", targets=("classes", "binary", "tags"), direction="max")
class RecallMicro(Recall):
    """The recall over all classes' counts, which is the accuracy."""

    def compute(self) -> float:
        return self.micro()


@register("metric", "f1", of="outputs", targets=("binary",), direction="max")
class F1(ClassRate):
    """2 TP / (2 TP + FP + FN) of the second class, the harmonic mean of its precision and recall."""

    undefined_where = "the split has no sample of, and no sample was predicted as,"

    def fraction(self, hits: Tensor, predicted: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
        return 2 * hits, predicted + true

    def compute(self) -> float:
        return self.of_second_class()


@register("metric", "f1_macro", of="outputs", targets=("classes", "binary", "tags"), direction="max")
class F1Macro(F1):
    """The mean of the classes' F1 scores; always defined, with 0 for a class without true positives."""

    def compute(self) -> float:
        return self.macro()


@register("metric", "f1_micro", of="outputs", targets=("classes", "binary", "tags"), direction="max")
class F1Micro(F1):
    """The F1 score over all classes' counts, which is the accuracy."""

    def compute(self) -> float:
        return self.micro()
