"""Mixup and cutmix: each image of a batch is mixed with another one, and so are their targets."""

import random
from dataclasses import dataclass

import torch
from torch import Tensor

from dltool.core.batch import Partners
from dltool.core.randomness import derive_seed, generator
from dltool.declarations.component import requires

no_mixing = requires(
    lambda config: not config.data.get("augment", {}).get("mixup") and not config.data.get("augment", {}).get("cutmix"),
    "data.augment.mixup and data.augment.cutmix mix classes, but task={task.name} cannot train on mixed classes",
    hint="data.augment.mixup=0 data.augment.cutmix=0",
)

mixing_needs_classes = requires(
    lambda config: (
        config.data.targets in ("classes", "binary", "labels", "auto")
        or (not config.data.get("augment", {}).get("mixup") and not config.data.get("augment", {}).get("cutmix"))
    ),
    "data.augment.mixup and data.augment.cutmix mix classes, but the data's targets are not classes",
    hint="data.augment.mixup=0 data.augment.cutmix=0",
)


@dataclass(frozen=True)
class Mixing:
    """Mixes a batch with a permutation of itself; with both kinds, each batch uses one, with probability 1/2.

    Mixup (Zhang et al. 2018, arXiv:1710.09412, eq. 1): x = λ x_i + (1 - λ) x_j. Cutmix (Yun et al. 2019,
    arXiv:1905.04899, section 3.1): a rectangle of x_j, 1 - λ of the area, its centre anywhere, is pasted into x_i; it
    is clipped at the borders, and its remaining area determines λ. One λ per batch, as in both papers' code, from
    Beta(α, α). The targets are mixed by the loss, λ L(ŷ, y_i) + (1 - λ) L(ŷ, y_j), which for cross-entropy is that of
    the mixed one-hot targets.

    Attributes:
        mixup, cutmix: α of each; 0 disables it.
    """

    mixup: float = 0.0
    cutmix: float = 0.0

    def apply(self, images: Tensor, targets: Tensor, seed: int, draw: int) -> tuple[Tensor, Partners]:
        """Mix one batch, a function of the seed and of the number of batches drawn before.

        Args:
            images: float32 `(B, C, H, W)`, overwritten.
            targets: `(B,)`.
            seed: The run's seed.
            draw: Number of batches drawn before.

        Returns:
            The mixed images, and their partners.
        """
        chance = random.Random(derive_seed(seed, "mixing", draw))
        order = torch.randperm(len(targets), generator=generator(seed, "partners", draw)).to(images.device)
        if self.cutmix and not (self.mixup and chance.random() < 0.5):
            weight = self.cut_and_paste(images, order, chance)
        else:
            weight = chance.betavariate(self.mixup, self.mixup)
            images = torch.lerp(images[order], images, weight)
        return images, Partners(targets[order], weight)

    def cut_and_paste(self, images: Tensor, order: Tensor, chance: random.Random) -> float:
        """Paste the rectangle, in place; returns the fraction of each image's area that remains."""
        height, width = images.shape[2:]
        side = (1 - chance.betavariate(self.cutmix, self.cutmix)) ** 0.5
        box = []
        for length in (height, width):
            half, centre = int(length * side) // 2, chance.randrange(length)
            box.append((max(centre - half, 0), min(centre + half, length)))
        (top, bottom), (left, right) = box
        patch = images[:, :, top:bottom, left:right]
        patch.copy_(patch.index_select(0, order))
        return 1 - (bottom - top) * (right - left) / (height * width)
