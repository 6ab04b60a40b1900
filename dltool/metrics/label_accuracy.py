"""The share of labels that are predicted correctly, where samples have several."""

from torch import Tensor

from dltool.declarations.component import register
from dltool.metrics.accuracy import label_accuracy
from dltool.metrics.mean import Mean
from dltool.metrics.metric import MeanMetric


@register("metric", "label_accuracy", of="outputs", targets=("labels",), direction="max")
class LabelAccuracy(MeanMetric):
    """The share of correct decisions, one for each sample and label: 1 minus the Hamming loss.

    If labels are rare, a model that never predicts one has a high value; f1_micro and f1_macro show that.
    """

    def part(self, outputs: Tensor, targets: Tensor) -> Mean:
        return label_accuracy(outputs, targets)
