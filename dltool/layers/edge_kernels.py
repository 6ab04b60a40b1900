"""Edge detection by fixed kernels, as a first layer that is not trained."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Weights across the direction in which a kernel takes the difference.
SMOOTHING = {"sobel": (1.0, 2.0, 1.0), "prewitt": (1.0, 1.0, 1.0)}


class EdgeKernels(nn.Module):
    """The two 3×3 kernels of Prewitt or of Sobel, applied to each channel of an image separately.

    Prewitt, "Object enhancement and extraction" (1970); Sobel and Feldman, "A 3×3 isotropic gradient operator for
    image processing" (1968, a talk; printed in Duda and Hart 1973, p. 271). Both estimate the derivative by the
    difference of the two neighbours, and smooth across it. They are scaled so that a slope of 1 per pixel gives 1. The
    border repeats its last pixel, so that the image's border is not an edge.

    Attributes:
        weight: `(2 C, 1, 3, 3)`: for each channel the kernel for horizontal edges (brightness that grows
            downwards), then that for vertical ones (to the right). It is not a parameter and is not saved.

    Args:
        kind: Which pair of kernels.
        channels: C, the image's channels.
    """

    weight: Tensor

    def __init__(self, kind: Literal["sobel", "prewitt"], channels: int) -> None:
        super().__init__()
        self.kind = kind
        self.in_channels, self.out_channels = channels, 2 * channels
        self.kernel_size, self.stride, self.padding, self.dilation = (3, 3), (1, 1), (1, 1), (1, 1)
        difference = torch.tensor([-1.0, 0.0, 1.0]) / 2
        smoothing = torch.tensor(SMOOTHING[kind]) / sum(SMOOTHING[kind])
        pair = torch.stack([torch.outer(difference, smoothing), torch.outer(smoothing, difference)])
        self.register_buffer("weight", pair[:, None].repeat(channels, 1, 1, 1), persistent=False)  # (2C, 1, 3, 3)

    def forward(self, images: Tensor) -> Tensor:
        """Response maps `(B, 2 C, H, W)` of images `(B, C, H, W)`."""
        bordered = F.pad(images, (1, 1, 1, 1), mode="replicate")
        return F.conv2d(bordered, self.weight, groups=self.in_channels)

    def extra_repr(self) -> str:
        return f"{self.kind}, channels={self.in_channels}"
