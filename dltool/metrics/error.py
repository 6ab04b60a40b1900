"""Regression errors."""

from torch import Tensor

from dltool.declarations.component import register
from dltool.metrics.mean import Mean, exact_sum
from dltool.metrics.metric import MeanMetric


@register("metric", "mse", of="outputs", targets=("numbers",), direction="min")
class MeanSquaredError(MeanMetric):
    """The mean of the squared differences, over all numbers of all samples."""

    def part(self, outputs: Tensor, targets: Tensor) -> Mean:
        return Mean(exact_sum((outputs - targets).square()).detach(), targets.numel())


@register("metric", "rmse", of="outputs", targets=("numbers",), direction="min")
class RootMeanSquaredError(MeanSquaredError):
    """The root of the mean squared error, in the unit of the targets; one root for all numbers of a target."""

    def compute(self) -> float:
        return super().compute() ** 0.5


@register("metric", "mae", of="outputs", targets=("numbers",), direction="min")
class MeanAbsoluteError(MeanMetric):
    """The mean of the absolute differences, over all numbers of all samples."""

    def part(self, outputs: Tensor, targets: Tensor) -> Mean:
        return Mean(exact_sum((outputs - targets).abs()).detach(), targets.numel())
