"""Your own augmentation of training images, from --trust, next to dltool's own of dltool.data.augment."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from dltool.core.errors import ConfigError, RunError
from dltool.core.place import place_of_function
from dltool.core.randomness import generator
from dltool.declarations.component import register


class ImageAugmentation(ABC):
    """Base of your own augmentations: `@register("augment", "mine")`, selected by `augment=mine`.

    It augments a whole batch at once, after dltool's own augmentations and before noise and scaling. Its random numbers
    are drawn once per epoch, as a table with one row per training sample, from a generator that dltool seeds by the
    run's seed and the epoch. So the augmentation of a sample depends on (seed, epoch, sample) alone: a resumed training
    equals an uninterrupted one, with any number of workers. Draw no other random numbers.

    `dltool init --example augmentation` writes a complete one.
    """

    @abstractmethod
    def draw(self, num_samples: int, rng: torch.Generator) -> Tensor:
        """Draw the random numbers of an epoch.

        Args:
            num_samples: Rows of the table.
            rng: The generator, on the CPU: `torch.rand(num_samples, 4, generator=rng)`.

        Returns:
            `(num_samples, …)`, of any type, on the CPU.
        """

    @abstractmethod
    def apply(self, images: Tensor, rows: Tensor) -> Tensor:
        """Augment a batch.

        Args:
            images: `(B, C, H, W)` of 0 … 255, uint8, or float32 after some of dltool's own augmentations. They may be
                changed in place.
            rows: The rows of these images in the table of `draw`, `(B, …)`, on the device of the images.

        Returns:
            `(B, C, H, W)` of 0 … 255, uint8 or float32, on the same device.
        """


@register("augment", "none")
class NoAugmentation:
    """Adds nothing to dltool's own augmentations."""


@dataclass(frozen=True)
class OwnVariation:
    """The user's own augmentation as one of the variations of dltool.data.augment.

    Attributes:
        name: The name of the option.
        augmentation: The user's object.
    """

    name: str
    augmentation: ImageAugmentation

    def draw(self, num_samples: int, seed: int, epoch: int) -> Tensor:
        """The table of one epoch, a function of the seed, the epoch and the sample.

        Raises:
            RunError: It does not have one row per sample.
        """
        table = self.augmentation.draw(num_samples, generator(seed, "own augmentation", epoch))
        if not isinstance(table, Tensor) or table.ndim == 0 or len(table) != num_samples:
            raise self.wrong("draw", table, f"a tensor of {num_samples} rows, one per sample")
        return table

    def apply(self, images: Tensor, rows: Tensor) -> Tensor:
        """Augment `(B, C, H, W)` of 0 … 255.

        Raises:
            RunError: The result is not such a batch.
        """
        shape, device = images.shape, images.device
        changed = self.augmentation.apply(images, rows)
        usable = isinstance(changed, Tensor) and changed.dtype in (torch.uint8, torch.float32)
        if not usable or changed.shape != shape or changed.device != device:
            raise self.wrong("apply", changed, f"{tuple(shape)}, uint8 or float32, on {device}, as its images")
        return changed

    def try_out(self, images: Tensor, seed: int) -> None:
        """Augment some images before the training, so that a mistake is found before the first step.

        Raises:
            ConfigError: The result is not a batch of images of 0 … 255.
        """
        try:
            rows = self.draw(len(images), seed, 0).to(images.device)
            changed = self.apply(images.clone(), rows)
            low, high = changed.min().item(), changed.max().item()
            if not 0 <= low <= high <= 255:  # Also NaN.
                raise self.wrong("apply", changed, "pixels of 0 … 255", f"values of {low:g} … {high:g}")
        except RunError as error:
            raise ConfigError(str(error), error.hint) from error

    def wrong(self, method: str, found: object, needed: str, text: str = "") -> RunError:
        """The error for a method that returns something else than needed, with the method's place."""
        if not text and isinstance(found, Tensor):
            text = f"{tuple(found.shape)} of {str(found.dtype).removeprefix('torch.')} on {found.device}"
        text = text or f"a {type(found).__name__}"
        return RunError(
            f"{place_of_function(getattr(self.augmentation, method))}: augment={self.name}: {method} returns {text}; "
            f"needed: {needed}",
            "dltool init --example augmentation writes a complete one",
        )
