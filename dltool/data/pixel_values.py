"""Random brightness, contrast, noise and missing squares of a whole batch of images at once."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dltool.core.randomness import generator

GREY = (0.2989, 0.587, 0.114)  # Of red, green and blue, ITU-R BT.601, as torchvision rounds them.


@dataclass(frozen=True)
class Light:
    """Brightness, then contrast: as torchvision's ColorJitter with the same factors, but without rounding in between.

    Attributes:
        brightness: Pixels are multiplied by a factor uniform in [1 - brightness, 1 + brightness].
        contrast: The same for their difference from the mean of the grey image.
    """

    brightness: float = 0.0
    contrast: float = 0.0

    def draw(self, num_samples: int, seed: int, epoch: int) -> Tensor:
        """The factors of one epoch, float32 `(num_samples, 2)`, a function of seed, epoch and sample."""
        table = torch.rand(num_samples, 2, generator=generator(seed, "light", epoch))
        return 1 + (2 * table - 1) * torch.tensor([self.brightness, self.contrast])

    def apply(self, images: Tensor, factors: Tensor) -> Tensor:
        """Change `(B, C, H, W)` of 0 … 255 by rows of `draw()`; returns float32 of the same shape and range."""
        brightness, contrast = factors.view(-1, 2, 1, 1, 1).unbind(1)  # (B, 1, 1, 1)
        images = (images * brightness).clamp_(0, 255)
        if self.contrast == 0:
            return images
        means = images.mean((2, 3), keepdim=True)  # (B, C, 1, 1)
        if images.shape[1] == 3:
            means = means * torch.tensor(GREY, device=images.device).view(1, 3, 1, 1)
            means = means.sum(1, keepdim=True)
        else:
            means = means.mean(1, keepdim=True)
        # In place, which takes a tenth of the time of torch.lerp with a weight per sample.
        return images.sub_(means).mul_(contrast).add_(means).clamp_(0, 255)


@dataclass(frozen=True)
class Cutout:
    """A square of 0 with its centre anywhere in the image, clipped at the borders (DeVries and Taylor 2017,
    arXiv:1708.04552, section 3.2). The paper applies it after scaling, where 0 is the mean; here it is applied before,
    as black.

    Attributes:
        size: Height and width of the images.
        side: Side of the square, in pixels.
    """

    size: tuple[int, int]
    side: int

    def draw(self, num_samples: int, seed: int, epoch: int) -> Tensor:
        """The top left corners of one epoch, int64 `(num_samples, 2)`, y and x, some of them outside the image."""
        table = torch.rand(num_samples, 2, generator=generator(seed, "cutout", epoch))
        return (table * torch.tensor(self.size)).long() - self.side // 2

    def apply(self, images: Tensor, corners: Tensor) -> Tensor:
        """Cut `(B, C, H, W)` by rows of `draw()`."""
        inside = [
            (distance >= 0) & (distance < self.side)
            for distance in (
                torch.arange(length, device=images.device) - corners[:, i, None] for i, length in enumerate(self.size)
            )
        ]
        return images.masked_fill((inside[0][:, :, None] & inside[1][:, None, :])[:, None], 0)


@dataclass(frozen=True)
class Noise:
    """Normal noise on every value, clamped to 0 … 255.

    Attributes:
        std: Standard deviation as a share of 255.
    """

    std: float

    def apply(self, images: Tensor, seed: int, draw: int) -> Tensor:
        """Add the noise of one batch, a function of the seed and of the number of batches drawn before."""
        rng = generator(seed, "noise", draw, device=images.device)
        noise = torch.randn(images.shape, generator=rng, device=images.device)
        return noise.mul_(255 * self.std).add_(images).clamp_(0, 255)
