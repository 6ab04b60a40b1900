"""Batch norm of maps that a single value a channel does not stop."""

import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm2d(nn.BatchNorm2d):
    """torch's, for the last sample of an epoch too where maps have shrunk to 1×1; see hidden_layers.BatchNorm."""

    def forward(self, maps: Tensor) -> Tensor:
        if self.training and maps.numel() == self.num_features:
            return F.batch_norm(maps, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(maps)
