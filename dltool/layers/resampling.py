"""Maps of half and of double the size without aliasing: a low-pass filter before or after every second position."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TAPS = (1.0, 3.0, 3.0, 1.0)  # Binomial: three convolutions of a box (Karras et al. 2020, arXiv:1912.04958).


class Resampling(nn.Module):
    """Base: filters each channel separately by the separable filter [1, 3, 3, 1], whose weights sum to 1."""

    filter: Tensor

    def __init__(self) -> None:
        super().__init__()
        taps = torch.tensor(TAPS) / sum(TAPS)
        self.register_buffer("filter", torch.outer(taps, taps), persistent=False)

    def filters(self, inputs: Tensor) -> Tensor:
        """One filter per channel of `(B, C, H, W)`, `(C, 1, 4, 4)`."""
        return self.filter.to(inputs.dtype).expand(inputs.shape[1], 1, -1, -1)


class Blur(Resampling):
    """Filters a map with zero padding; with stride=2 and padding=1 it halves the map.

    Args:
        padding: Zeros on each side: H becomes H + 2 · padding - 3, before the stride.
        stride: Keep every stride-th position.
        gain: Factor of the output.
    """

    def __init__(self, padding: int, stride: int = 1, gain: float = 1.0) -> None:
        super().__init__()
        self.padding = padding
        self.stride = stride
        self.gain = gain

    def forward(self, inputs: Tensor) -> Tensor:
        filters = self.filters(inputs) * self.gain
        return F.conv2d(inputs, filters, stride=self.stride, padding=self.padding, groups=inputs.shape[1])


class Upsample(Resampling):
    """Doubles a map: zeros between the positions, then the filter; bilinear, except for the zero padding."""

    def forward(self, inputs: Tensor) -> Tensor:
        return F.conv_transpose2d(inputs, 4 * self.filters(inputs), stride=2, padding=1, groups=inputs.shape[1])
