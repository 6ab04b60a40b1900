"""Batch norm that accepts a single value per channel."""

import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm2d(nn.BatchNorm2d):
    """torch's, extended to a last batch of one sample whose maps have shrunk to 1×1; see hidden_layers.BatchNorm."""

    def forward(self, maps: Tensor) -> Tensor:
        if self.training and maps.numel() == self.num_features:
            return F.batch_norm(maps, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(maps)
