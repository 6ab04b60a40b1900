"""Outputs bounded to a range."""

import torch
from torch import Tensor, nn


class Bounded(nn.Module):
    """tanh, scaled from (-1, 1) onto (low, high)."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.center = (low + high) / 2
        self.radius = (high - low) / 2

    def forward(self, inputs: Tensor) -> Tensor:
        return self.center + self.radius * torch.tanh(inputs)
