"""A convolution whose kernel is scaled by each sample's style."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.layers.equalized import EqualizedLinear
from dltool.layers.full_precision import full_precision
from dltool.layers.resampling import Blur


class ModulatedConv2d(nn.Module):
    """Karras et al. 2020 (arXiv:1912.04958), section 2.2: w' = s_i · w_ijk (1), divided by √(Σ w'² + ε) (3).

    i counts input channels, j output channels, k positions of the kernel; the sum is over i and k. Scaling the kernel
    by s_i equals scaling input channel i, and the division by one number per j equals scaling the output. So one
    convolution serves all samples, where a kernel per sample would need one each (the authors' "non-fused" form).
    For inputs of variance one the outputs have variance one (eq. 2), without normalising the actual activations.

    Args:
        input_dim, output_dim: Channels.
        kernel: Side of the kernel, odd.
        style_dim: Width of the style w; a linear map, whose biases begin at 1, turns it into s.
        demodulate: Whether to divide; if not, s is divided by √(n_in · kernel²).
        double: Double the map's sides: a transposed convolution of stride 2, then a blur.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        kernel: int,
        style_dim: int,
        *,
        demodulate: bool = True,
        double: bool = False,
    ) -> None:
        super().__init__()
        self.affine = EqualizedLinear(style_dim, input_dim, bias=1.0)
        self.weight = nn.Parameter(torch.randn(output_dim, input_dim, kernel, kernel))
        self.scale = 1 / math.sqrt(input_dim * kernel**2)  # Keeps numbers small; demodulation cancels it.
        self.demodulate = demodulate
        self.padding = kernel // 2
        self.blur = Blur(padding=1, gain=4.0) if double else None  # H -> 2H + 1 by a kernel of 3, then 2H by the blur.

    def forward(self, inputs: Tensor, styles: Tensor) -> Tensor:
        """`(B, C', H, W)`, or `(B, C', 2H, 2W)`, from inputs `(B, C, H, W)` and w `(B, style_dim)`."""
        scales = self.affine(styles)
        weight = self.weight * self.scale
        inputs = inputs * scales[:, :, None, None].to(inputs.dtype)
        if self.blur is None:
            outputs = F.conv2d(inputs, weight, padding=self.padding)
        else:
            outputs = self.blur(F.conv_transpose2d(inputs, weight.transpose(0, 1), stride=2))
        if self.demodulate:
            outputs = outputs * self.demodulation(scales, weight)[:, :, None, None].to(outputs.dtype)
        return outputs

    @staticmethod
    def demodulation(scales: Tensor, weight: Tensor) -> Tensor:
        """1 / √(Σ (s_i w_ijk)² + ε), `(B, C')`, from s `(B, C)` and w `(C', C, k, k)`."""
        squares = weight.float().square().sum(dim=(2, 3))  # (C', C)
        with full_precision(scales):
            return (scales.float().square() @ squares.T + 1e-8).rsqrt()
