"""The appearance of images as a few numbers, and its ranges in the training images."""

from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

from dltool.data.resize import Size

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow's convert("L").
MEASURED = 1024  # Training images, at most.
FEWEST = 20  # Fewer images say too little about others.
TAILS = torch.tensor(
    [0.005, 0.995], dtype=torch.float64
)  # Quantiles; an outlier among the training images does not count.
SPREAD = 0.5  # Images may be outside a range by this share of its width, plus the tolerance of the feature.
INK = 0.3  # A pixel is part of the drawing if it deviates this share of the largest deviation, and at least FAINTEST.
FAINTEST = 20.0

PLACEMENT = ("extent", "offset")  # Compared only where the training images are drawings.

Range = tuple[float, float]


class Appearance(NamedTuple):
    """Features of N images, each float32 `(N,)`; brightness is that of the grey image, 0 … 255.

    Attributes:
        border: Median brightness of the outermost pixels, the background.
        polarity: 1 where the drawing, which is what differs from the background, is lighter, -1 where it is darker.
        extent: The drawing's longer side, as a share of the frame.
        offset: Distance of the drawing's centre of mass from the frame's centre, as a share of the frame.
        contrast: Largest deviation from the background.
        brightness: Mean.
        colour: Mean difference of the largest and smallest channel; 0 for grey.
    """

    border: Tensor
    polarity: Tensor
    extent: Tensor
    offset: Tensor
    contrast: Tensor
    brightness: Tensor
    colour: Tensor


TOLERANCE = Appearance(*map(torch.tensor, (32.0, 1.0, 0.1, 0.05, 60.0, 32.0, 25.0)))


def appearance(images: Tensor) -> Appearance:
    """Measure images, uint8 `(N, C, H, W)`, C is 1 or 3."""
    pixels = images.float()
    colour = (pixels.amax(1) - pixels.amin(1)).mean((1, 2))
    grey = (pixels * pixels.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1) if pixels.shape[1] == 3 else pixels[:, 0]
    ring = torch.cat([grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]], 1)
    border = ring.median(1).values
    difference = grey - border[:, None, None]
    size = difference.abs()
    contrast = size.amax((1, 2))
    drawn = size > (INK * contrast).clamp_min(FAINTEST)[:, None, None]
    ink = size * drawn
    total = ink.sum((1, 2)).clamp_min(1)
    sides = [share_covered(drawn.any(axis)) for axis in (1, 2)]
    offsets = [((ink.sum(axis) * centred_places(ink.shape[3 - axis])).sum(1) / total).abs() for axis in (1, 2)]
    return Appearance(
        border,
        (difference * drawn).sum((1, 2)) / total,
        torch.maximum(*sides),
        torch.maximum(*offsets),
        contrast,
        grey.mean((1, 2)),
        colour,
    )


def sampled(images: Tensor) -> Tensor:
    """At most 1,024 images `(N, …)`, evenly spread over all."""
    if len(images) <= MEASURED:
        return images
    return images[torch.linspace(0, len(images) - 1, MEASURED, dtype=torch.float64).long().to(images.device)]


def share_covered(drawn: Tensor) -> Tensor:
    """The distance from the first to the last true value of each row `(N, L)`, as a share of L."""
    length = drawn.shape[1]
    places = torch.arange(length)
    first = torch.where(drawn, places, length).amin(1)
    last = torch.where(drawn, places, -1).amax(1)
    return (last - first + 1).clamp_min(0) / length


def centred_places(length: int) -> Tensor:
    """The positions of pixels relative to the centre, -0.5 … 0.5."""
    return (torch.arange(length) + 0.5) / length - 0.5


@dataclass(frozen=True)
class ImageStatistics:
    """Ranges of the features of the training images, from the 0.5 % to the 99.5 % quantile; see Appearance.

    Attributes:
        drawing: Median of the extent.
        smallest: The smallest side of an image before it was resized.
        distortion: The largest factor by which the aspect ratio was changed.
    """

    border: Range
    polarity: Range
    extent: Range
    offset: Range
    contrast: Range
    brightness: Range
    colour: Range
    drawing: float
    smallest: int
    distortion: float

    @classmethod
    def of(cls, images: Tensor, sizes: frozenset[Size], distortion: float = 1.0) -> Self | None:
        """Measure training images, at most 1,024 of which are needed; see `sampled`.

        Args:
            images: uint8 `(N, C, H, W)`, on any device.
            sizes: Heights and widths before they were resized.
            distortion: See the attribute.

        Returns:
            None for fewer than 20 images, or for images of other than 1 or 3 channels.
        """
        if len(images) < FEWEST or images.shape[1] not in (1, 3):
            return None
        found = appearance(sampled(images).cpu())
        ranges: dict[str, Any] = {
            name: tuple(torch.quantile(values.double(), TAILS).tolist()) for name, values in found._asdict().items()
        }
        smallest = min(min(size) for size in sizes or {(images.shape[2], images.shape[3])})
        return cls(**ranges, drawing=found.extent.median().item(), smallest=smallest, distortion=distortion)

    def outside(self, found: Appearance) -> Appearance:
        """By how many tolerances each feature is outside its range: negative below, 0 inside, positive above."""
        parts = []
        for name, values, tolerance in zip(found._fields, found, TOLERANCE, strict=True):
            low, high = getattr(self, name)
            margin = tolerance.item() + SPREAD * (high - low)
            above, below = (values - high - margin).clamp_min(0), (low - margin - values).clamp_min(0)
            compared = self.has_drawings or name not in PLACEMENT
            parts.append((above - below) / tolerance if compared else torch.zeros_like(values))
        return Appearance(*parts)

    @property
    def has_drawings(self) -> bool:
        """Whether all training images are grey drawings of one polarity and similar extent on an even background."""
        one_polarity = abs(sum(self.polarity)) > 1.9  # Both ends are about 1, or both about -1.
        even = self.border[1] - self.border[0] <= TOLERANCE.border.item()
        return one_polarity and even and self.extent[1] - self.extent[0] <= 0.25 and self.colour[1] <= 8

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        known = {field.name for field in fields(cls)}
        values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in saved.items()}
        return cls(**{key: value for key, value in values.items() if key in known})


def distortion(size: Size, new: Size) -> float:
    """The factor by which squashing changes the aspect ratio, at least 1."""
    change = size[0] * new[1] / (size[1] * new[0])
    return max(change, 1 / change)
