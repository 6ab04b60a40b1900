"""A buffer of earlier generated images."""

import torch
from torch import Tensor


class ImagePool:
    """Mixes older fakes into the new ones (Shrivastava et al. 2017, arXiv:1612.07828, section
    2.3).

    As in CycleGAN's code: while the pool is not full, a new image is added and returned. Then each new image is, with
    probability 1/2, either returned or swapped with a random one in the pool, which is returned instead. (The first
    paper replaces half of the pool's images in each batch.)

    The random numbers come from the default generator of the CPU, which the trainer seeds for each step.

    Args:
        size: Capacity of the pool; 0 returns only new images.

    Attributes:
        images: `(N, C, H, W)`, at most `size`; `(0,)` before the first.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.images = torch.empty(0)

    def query(self, new: Tensor) -> Tensor:
        """The discriminator's inputs in place of `new`, `(B, C, H, W)`; the new ones may enter the pool."""
        new = new.detach()
        if self.size == 0:
            return new
        held = list(self.images.to(new.device))
        coins, places = torch.rand(len(new)).tolist(), torch.randint(self.size, (len(new),)).tolist()
        shown = []
        for image, coin, place in zip(new, coins, places, strict=True):
            if len(held) < self.size:
                held.append(image)
                shown.append(image)
            elif coin < 0.5:
                shown.append(held[place])
                held[place] = image
            else:
                shown.append(image)
        self.images = torch.stack(held)
        return torch.stack(shown)
