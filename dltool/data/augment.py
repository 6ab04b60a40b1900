"""Augmentation of training images: a whole batch at once, on any device.

The augmentation of a sample is a function of (seed, epoch, sample): each kind of variation draws one table per epoch,
with one row per sample, and a batch takes its rows. Noise and mixing are functions of (seed, batches drawn).
"""

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import torch
from torch import Tensor

from dltool.core.batch import Partners
from dltool.data.affine import Affine
from dltool.data.mixing import Mixing
from dltool.data.own_augmentation import OwnVariation
from dltool.data.pixel_values import Cutout, Light, Noise
from dltool.data.shifting import Shifter
from dltool.declarations.component import Fraction, NonNegative, Probability


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Augmentation of training images, in the order of these keys, before scaling.

    Attributes:
        shift: Largest shift in whole pixels of the (resized) image, uniform in both directions, vertically and
            horizontally. Recipes call it a random crop after padding: `RandomCrop(32, padding=4)` is `shift: 4`. "auto"
            is a tenth of the shorter side, rounded down: 3 for 32×32, 0 for 8×8, where a pixel is
            too large a shift.
        padding: The fill of the margin after a shift: "zeros", or "reflect", the image mirrored at its outermost
            pixels.
        flip: Mirror half of the images horizontally; "alternating" mirrors one half in even epochs and the other in
            odd ones (with data.sampling=balanced, of the positions in an epoch). Wrong for digits and letters.
        rotation: Largest angle in either direction, in degrees.
        zoom: Images are enlarged by a factor uniform in [1 - zoom, 1 + zoom].
        shear: Largest angle in either direction by which the columns lean, in degrees.
        crop: Least share of the area in a random window that is enlarged to the whole image; 1 for none,
            0.08 for ImageNet's recipe. See dltool.data.affine.
        brightness: The factor is uniform in [1 - brightness, 1 + brightness].
        contrast: The same, around each image's mean grey.
        cutout: Side in pixels of a black square anywhere in the image; 0 for none.
        noise: Standard deviation of normal noise on every value, as a share of 255.
        mixup: α of mixup's Beta(α, α); 0 for none, 0.2 in the paper for ImageNet, 1 for CIFAR. Classes only.
        cutmix: α of cutmix; 0 for none, 1 in the paper. With mixup, each batch is one of the two. Classes only.
    """

    shift: NonNegative[int] | Literal["auto"] = 0
    padding: Literal["zeros", "reflect"] = "zeros"
    flip: bool | Literal["alternating"] = False
    rotation: NonNegative[float] = 0.0
    zoom: Fraction[float] = 0.0
    shear: NonNegative[float] = 0.0
    crop: Probability[float] = 1.0
    brightness: Probability[float] = 0.0
    contrast: Probability[float] = 0.0
    cutout: NonNegative[int] = 0
    noise: NonNegative[float] = 0.0
    mixup: NonNegative[float] = 0.0
    cutmix: NonNegative[float] = 0.0

    def augmenter(self, size: tuple[int, int], own: OwnVariation | None = None) -> "Augmenter":
        """The augmenter for images of this height and width, with the user's own augmentation."""
        shift = min(size) // 10 if self.shift == "auto" else self.shift
        return Augmenter(size, dataclasses.replace(self, shift=shift), own)


class Variation(Protocol):
    """One kind of variation."""

    def draw(self, num_samples: int, seed: int, epoch: int) -> Tensor:
        """Draw a table with one row per sample, a function of the seed, the epoch and the sample."""
        ...

    def apply(self, images: Tensor, rows: Tensor) -> Tensor:
        """Augment images `(B, C, H, W)` of 0 … 255, uint8 or float32, by their rows of the table."""
        ...


@dataclass(frozen=True)
class Augmenter:
    """Carries out an Augmentation.

    Attributes:
        size: Height and width of the images.
        settings: The settings, with a number for `shift`.
        own: The user's own augmentation, applied after dltool's variations and before noise.
    """

    size: tuple[int, int]
    settings: Augmentation
    own: OwnVariation | None = None

    @cached_property
    def variations(self) -> list[Variation]:
        """The enabled variations, in order."""
        s = self.settings
        assert s.shift != "auto"
        found: list[Variation] = []
        if s.shift or s.flip:
            found.append(Shifter(s.shift, s.flip, s.padding))
        if s.rotation or s.zoom or s.shear or s.crop < 1:
            found.append(Affine(self.size, s.rotation, s.zoom, s.shear, s.crop))
        if s.brightness or s.contrast:
            found.append(Light(s.brightness, s.contrast))
        if s.cutout:
            found.append(Cutout(self.size, s.cutout))
        return found if self.own is None else [*found, self.own]

    @cached_property
    def noise(self) -> Noise | None:
        return Noise(self.settings.noise) if self.settings.noise else None

    @cached_property
    def mixing(self) -> Mixing | None:
        s = self.settings
        return Mixing(s.mixup, s.cutmix) if s.mixup or s.cutmix else None

    @property
    def active(self) -> bool:
        return bool(self.variations or self.noise or self.mixing)

    @property
    def varies_batches(self) -> bool:
        """Whether a sample's augmentation depends on the batch that it is in."""
        return bool(self.noise or self.mixing)

    def tables(self, order: Tensor, seed: int, epoch: int, device: torch.device) -> list[Tensor]:
        """The epoch's table of each variation on `device`, its rows in the epoch's order of the samples."""
        tables = (variation.draw(len(order), seed, epoch) for variation in self.variations)
        return [table.index_select(0, order).to(device) for table in tables]

    def vary(self, images: Tensor, rows: list[Tensor], seed: int, draw: int) -> Tensor:
        """Apply everything except mixing.

        Args:
            images: uint8 `(B, C, H, W)`.
            rows: The batch's rows of each of the `tables()`.
            seed: The run's seed.
            draw: Number of batches drawn before.

        Returns:
            `(B, C, H, W)` of 0 … 255: uint8 where pixels only moved, else unrounded float32.
        """
        for variation, table in zip(self.variations, rows, strict=True):
            images = variation.apply(images, table)
        return images if self.noise is None else self.noise.apply(images, seed, draw)

    def mix(self, images: Tensor, targets: Tensor, seed: int, draw: int) -> tuple[Tensor, Partners | None]:
        """Mix scaled images with each other, if mixing is enabled."""
        return (images, None) if self.mixing is None else self.mixing.apply(images.float(), targets, seed, draw)

    def notes(self, generative: bool) -> list[str]:
        """Messages for the user; a generator learns to draw the margins of augmented images."""
        if not self.active:
            return []
        margins = "shifted images have black margins, which the generator learns to draw: data.augment.shift=0"
        parts = [f"{', '.join(self.enabled())} (data.augment)"] if self.enabled() else []
        parts += [f"{self.own.name} (augment)"] if self.own else []
        vary = f"training images are augmented: {', '.join(parts)}"
        return [vary, margins] if generative and self.settings.shift and self.settings.padding == "zeros" else [vary]

    def describe(self) -> str:
        """The enabled settings, as keys and values, and the name of the user's own augmentation."""
        return ", ".join(self.enabled() if self.own is None else [*self.enabled(), self.own.name])

    def enabled(self) -> list[str]:
        """The enabled settings, as keys and values."""
        plain = Augmentation()
        fields = dataclasses.asdict(self.settings).items()
        return [key if value is True else f"{key} {value}" for key, value in fields if value != getattr(plain, key)]
