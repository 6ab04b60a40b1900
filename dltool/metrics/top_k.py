"""The share of samples whose class is among the k highest scores."""

from typing import ClassVar

from torch import Tensor

from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.declarations.component import register
from dltool.metrics.mean import Mean
from dltool.metrics.metric import MeanMetric


@register("metric", "top_5_accuracy", of="outputs", targets=("classes", "tags"), direction="max")
class Top5Accuracy(MeanMetric):
    """The share of samples whose target is among the classes of the k largest scores; equal scores have no order.

    Raises:
        ConfigError: If the data has at most k classes.
    """

    k: ClassVar[int] = 5

    def __init__(self, spec: DataSpec) -> None:
        super().__init__(spec)
        if spec.num_classes <= self.k:
            message = f"the data has {spec.num_classes} classes, so the true one is always among {self.k}"
            raise ConfigError(f"task.metrics: top_{self.k}_accuracy: {message}", "'task.metrics=[accuracy]'")

    def part(self, outputs: Tensor, targets: Tensor) -> Mean:
        best = outputs.topk(self.k, dim=1).indices  # (B, k)
        return Mean((best == targets[:, None]).count_nonzero(), len(targets))


@register("metric", "top_2_accuracy", of="outputs", targets=("classes", "tags"), direction="max")
class Top2Accuracy(Top5Accuracy):
    """The share of samples whose target has one of the two highest scores."""

    k = 2


@register("metric", "top_3_accuracy", of="outputs", targets=("classes", "tags"), direction="max")
class Top3Accuracy(Top5Accuracy):
    """The share of samples whose target has one of the three highest scores."""

    k = 3
