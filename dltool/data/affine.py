"""Random rotations, zooms, shears and crops of a whole batch of images at once, as one bilinear sampling."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from dltool.core.randomness import generator

LOG_ASPECT = math.log(4 / 3)


@dataclass(frozen=True)
class Affine:
    """One linear map per image, around its centre. One sampling applies all changes, so that pixels are blurred once.

    Rotation, zoom and shear are those of torchvision's `affine` with the same numbers, bilinear. `crop` is the
    window of Szegedy et al. (2015, arXiv:1409.4842, section 6), enlarged to the whole image: its area is a uniform
    share of the image's, and the logarithm of its aspect ratio is uniform in log [3/4, 4/3]. A side longer than the
    image is clamped to it (torchvision draws again). The window is cut after the other maps. Pixels from outside are 0.

    Attributes:
        size: Height and width of the images.
        rotation: Largest angle each way, in degrees.
        zoom: The factor is uniform in [1 - zoom, 1 + zoom].
        shear: Largest angle each way, in degrees, along the rows.
        crop: Least share of the area in the window; 1 for the whole image.
    """

    size: tuple[int, int]
    rotation: float = 0.0
    zoom: float = 0.0
    shear: float = 0.0
    crop: float = 1.0

    def draw(self, num_samples: int, seed: int, epoch: int) -> Tensor:
        """Draw the maps of one epoch, a function of the seed, the epoch and the sample.

        Returns:
            float32 `(num_samples, 2, 3)`: from output to input coordinates (x, y, 1), both in [-1, 1].
        """
        table = torch.rand(num_samples, 7, generator=generator(seed, "affine", epoch))
        angle, zoom, shear = (2 * table[:, :3] - 1).unbind(1)
        linear = self.linear_maps(
            torch.deg2rad(self.rotation * angle), 1 + self.zoom * zoom, torch.deg2rad(self.shear * shear)
        )
        sides, offsets = self.crop_windows(table[:, 3:])
        return torch.cat([linear * sides[:, None, :], linear @ offsets[:, :, None]], 2)  # (N, 2, 3)

    def linear_maps(self, angle: Tensor, zoom: Tensor, shear: Tensor) -> Tensor:
        """The inverse of rotation · shear · zoom for angles in radians, each `(N,)`; returns `(N, 2, 2)`.

        Positive angles turn clockwise, as the y-axis points down. Normalised coordinates stretch the shorter
        side of an image that is not square, hence the factors H/W and W/H.
        """
        height, width = self.size
        cos, sin, tan = angle.cos(), angle.sin(), shear.tan()
        upper = torch.stack([cos - sin * tan, (sin + cos * tan) * (height / width)], 1)
        lower = torch.stack([-sin * (width / height), cos], 1)
        return torch.stack([upper, lower], 1) / zoom[:, None, None]

    def crop_windows(self, table: Tensor) -> tuple[Tensor, Tensor]:
        """Half sides and centres of the windows as (x, y), from uniform numbers `(N, 4)`; each `(N, 2)`."""
        height, width = self.size
        area = self.crop + (1 - self.crop) * table[:, 0]
        if self.crop == 1:
            return torch.ones(len(table), 2), torch.zeros(len(table), 2)
        aspect = torch.exp(LOG_ASPECT * (2 * table[:, 1] - 1))  # Width to height in pixels.
        shares = torch.stack([(area * aspect * height / width).sqrt(), (area / aspect * width / height).sqrt()], 1)
        sides = shares.clamp(max=1)
        return sides, (2 * table[:, 2:] - 1) * (1 - sides)

    def apply(self, images: Tensor, maps: Tensor) -> Tensor:
        """Sample `(B, C, H, W)` by rows of `draw()`; returns float32 of the same shape."""
        grid = F.affine_grid(maps, list(images.shape), align_corners=False)
        return F.grid_sample(images.float(), grid, align_corners=False)
