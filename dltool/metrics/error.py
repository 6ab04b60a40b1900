"""Errors of predicted numbers."""

import torch.nn.functional as F
from torch import Tensor

from dltool.metrics.mean import Mean


def squared_error(outputs: Tensor, targets: Tensor) -> Mean:
    """Squared differences `(B, target_dim)`, over all numbers; the root of their mean is the RMSE."""
    return Mean(F.mse_loss(outputs, targets, reduction="sum").detach(), targets.numel())


def absolute_error(outputs: Tensor, targets: Tensor) -> Mean:
    """Absolute differences `(B, target_dim)`, over all numbers; their mean is the MAE."""
    return Mean(F.l1_loss(outputs, targets, reduction="sum").detach(), targets.numel())
