"""An augmentation of training images: random erasing.

To run it, then to use the run:

    dltool train --trust augmentation.py augment=random_erasing data=digits trainer.epochs=3
    dltool train --trust augmentation.py augment=random_erasing augment.probability=1 data.augment.rotation=10

plots/augmented.png in the run shows some images before and after it.
"""

import torch
from torch import Tensor

from dltool.data.own_augmentation import ImageAugmentation
from dltool.declarations.component import Probability, register


@register("augment", "random_erasing")
class RandomErasing(ImageAugmentation):
    """Fill a random rectangle with one random grey (Zhong et al. 2020, arXiv:1708.04896, with one value per image).

    Args:
        probability: Share of the images that are changed.
        largest: The largest side of a rectangle, as a share of the image's side.
    """

    def __init__(self, *, probability: Probability[float] = 0.5, largest: Probability[float] = 0.5) -> None:
        self.probability = probability
        self.largest = largest

    # All random numbers are drawn here, once per epoch, with one row per training sample. Row i belongs to sample i in
    # whatever batch it is, so that a resumed training gets the same images.
    def draw(self, num_samples: int, rng: torch.Generator) -> Tensor:
        """Uniform numbers: whether to erase, height, width, top, left, grey."""
        return torch.rand(num_samples, 6, generator=rng)

    def apply(self, images: Tensor, rows: Tensor) -> Tensor:
        """Erase in images `(B, C, H, W)` of 0 … 255, uint8 or float32, by their rows `(B, 6)` of the table.

        It changes the whole batch at once, on its device; a loop over the images would be many times slower.
        """
        erase, height, width, top, left, grey = rows.unbind(1)  # Each (B,).
        down = inside(images.shape[2], self.largest * height, top)  # (B, H)
        across = inside(images.shape[3], self.largest * width, left)  # (B, W)
        chosen = (erase < self.probability)[:, None, None] & down[:, :, None] & across[:, None, :]  # (B, H, W)
        fill = (255 * grey).to(images.dtype)[:, None, None, None]
        return torch.where(chosen[:, None], fill, images)


def inside(length: int, share: Tensor, start: Tensor) -> Tensor:
    """Which of `length` pixels are in a part with this share of them, `(B, length)`; start 0 is the first place."""
    places = (torch.arange(length, device=share.device) + 0.5) / length
    first = start * (1 - share)
    return (places >= first[:, None]) & (places < (first + share)[:, None])
