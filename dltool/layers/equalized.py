"""Layers with an equalized learning rate: weights of variance one, scaled in the forward pass."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EqualizedLinear(nn.Module):
    """A linear map by w / √n_in, where w is initially N(0, 1) (Karras et al. 2018, arXiv:1710.10196, section 4.1).

    Adam moves each w by about its learning rate, whatever the layer's width, so all layers learn equally fast.

    Args:
        input_dim, output_dim: Widths.
        bias: Initial value of each bias; None for no bias.
        lr_multiplier: The effective weights start as with 1 and move this many times as far per step of Adam.
    """

    def __init__(
        self, input_dim: int, output_dim: int, *, bias: float | None = 0.0, lr_multiplier: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(output_dim, input_dim) / lr_multiplier)
        self.bias = None if bias is None else nn.Parameter(torch.full((output_dim,), bias / lr_multiplier))
        self.scale = lr_multiplier / math.sqrt(input_dim)
        self.lr_multiplier = lr_multiplier

    def forward(self, inputs: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias * self.lr_multiplier
        return F.linear(inputs, self.weight * self.scale, bias)


class EqualizedConv2d(nn.Module):
    """The same for a convolution.

    Args:
        input_dim, output_dim: Channels.
        kernel: Side of the kernel.
        stride, padding: As in torch's Conv2d.
        bias: Whether it has a bias, initially zero.
    """

    def __init__(
        self, input_dim: int, output_dim: int, kernel: int, *, stride: int = 1, padding: int = 0, bias: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(output_dim, input_dim, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(output_dim)) if bias else None
        self.scale = 1 / math.sqrt(input_dim * kernel**2)
        self.stride = stride
        self.padding = padding

    def forward(self, inputs: Tensor) -> Tensor:
        return F.conv2d(inputs, self.weight * self.scale, self.bias, self.stride, self.padding)


class ScaledLeakyReLU(nn.Module):
    """Leaky ReLU of slope 0.2, times √2, which approximately preserves the variance."""

    def forward(self, inputs: Tensor) -> Tensor:
        return F.leaky_relu(inputs, 0.2) * math.sqrt(2)


def normalized(vectors: Tensor) -> Tensor:
    """Scale vectors `(B, D)` to a mean square of one: onto the sphere of radius √D."""
    return vectors * (vectors.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
