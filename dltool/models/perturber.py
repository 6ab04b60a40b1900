"""A network that maps an image to a perturbation of it."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F


class Perturber(nn.Module):
    """Convolutions down to half the size, at that size and up again: numbers in (-1, 1) of the image's shape.

    A small form of the perturbation generators of Baluja and Fischer (2017, arXiv:1703.09387) and Xiao et al.
    (2018, arXiv:1801.02610, AdvGAN), without their norms and residual blocks.

    Args:
        num_channels: Of the images.
        widths: Channels at the full and at half the size.
    """

    def __init__(self, num_channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        full, half = widths
        self.enter = nn.Conv2d(num_channels, full, 3, padding=1)
        self.down = nn.Conv2d(full, half, 3, stride=2, padding=1)
        self.middle = nn.Conv2d(half, half, 5, padding=2)
        self.up = nn.Conv2d(half, full, 3, padding=1)
        self.leave = nn.Conv2d(full, num_channels, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """`(B, C, H, W)` to the same shape."""
        fine = F.relu(self.enter(images))
        coarse = F.relu(self.middle(F.relu(self.down(fine))))
        wide = F.relu(self.up(F.interpolate(coarse, size=images.shape[2:])))
        return self.leave(wide + fine).tanh()
