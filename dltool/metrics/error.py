"""Errors of predicted numbers."""

import torch.nn.functional as F
from torch import Tensor

from dltool.declarations.component import register
from dltool.metrics.mean import Mean
from dltool.metrics.metric import MeanMetric


@register("metric", "mse", targets=("numbers",))
class MeanSquaredError(MeanMetric):
    """The mean of the squared differences, over all numbers of all samples."""

    def part(self, outputs: Tensor, targets: Tensor) -> Mean:
        return Mean(F.mse_loss(outputs, targets, reduction="sum").detach(), targets.numel())


@register("metric", "rmse", targets=("numbers",))
class RootMeanSquaredError(MeanSquaredError):
    """The root of the mean squared error, in the unit of the targets; one root for all numbers of a target."""

    def compute(self) -> float:
        return super().compute() ** 0.5


@register("metric", "mae", targets=("numbers",))
class MeanAbsoluteError(MeanMetric):
    """The mean of the absolute differences, over all numbers of all samples."""

    def part(self, outputs: Tensor, targets: Tensor) -> Mean:
        return Mean(F.l1_loss(outputs, targets, reduction="sum").detach(), targets.numel())
