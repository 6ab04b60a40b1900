"""Compares images to predict from with the training images, and names the options that make them alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from dltool.data.decoding import Adjustment
from dltool.data.image_inputs import ImageLayout, Original, header, pixels_of
from dltool.data.image_statistics import PLACEMENT, Appearance, ImageStatistics, appearance, distortion
from dltool.data.resize import Size

TRIED = 8  # Images of a group for which options are tried.
NAMED = 3
LARGEST_CHANGE = 1.5  # Of the aspect ratio, relative to the largest in training.
FRAMED = 0.9  # Drawings that cover less of the frame have background around them: MNIST's have 20 of 28 pixels.
FEATURES = ("polarity", "border", "extent", "offset", "contrast", "brightness", "colour", "size", "shape")
# For each feature: what an image is whose value is below the range of the training images, or above it.
WORDS = {
    "polarity": (
        "dark on light; the training images are light on dark",
        "light on dark; the training images are dark on light",
    ),
    "border": ("on a darker background than the training images", "on a lighter background than the training images"),
    "extent": ("smaller in the frame than the training images", "larger in the frame than the training images"),
    "offset": ("closer to the centre than the training images", "farther off-centre than the training images"),
    "contrast": ("fainter than the training images", "of more contrast than the training images"),
    "brightness": ("darker than the training images", "brighter than the training images"),
    "colour": ("grey; the training images are coloured", "coloured; the training images are grey"),
    "size": ("less than half as large as the smallest training image", ""),
    "shape": ("", "of another shape than the training images, and made to fit by changing the aspect ratio"),
}


class Option(NamedTuple):
    """An option of `dltool predict` and the layout that it gives."""

    words: str
    layout: ImageLayout


@dataclass
class Group:
    """Images that differ from the training images in the same way."""

    names: list[str] = field(default_factory=list)
    originals: list[Original] = field(default_factory=list)


class Comparison:
    """The comparison of all images of one prediction.

    Args:
        statistics: Of the training images.
        layout: How the images are prepared.
    """

    def __init__(self, statistics: ImageStatistics, layout: ImageLayout) -> None:
        self.statistics = statistics
        self.layout = layout
        self.groups: dict[str, Group] = {}
        self.animated: list[str] = []
        self.count = 0

    def add(self, names: Sequence[str], originals: Sequence[Original], images: Tensor) -> None:
        """Compare a batch, uint8 `(B, C, H, W)`, prepared in the layout."""
        headers = [header(original) for original in originals]
        self.count += len(names)
        self.animated += [name for name, (_, frames) in zip(names, headers, strict=True) if frames > 1]
        excesses = self._excesses(images, [size for size, _ in headers], self.layout)
        for name, original, excess in zip(names, originals, excesses, strict=True):
            feature = next((feature for feature in FEATURES if excess[feature]), None)
            if feature is not None:
                group = self.groups.setdefault(WORDS[feature][excess[feature] > 0], Group())
                group.names.append(name)
                if len(group.originals) < TRIED:
                    group.originals.append(original)

    def report(self, warn: Callable[[str], None]) -> None:
        """Pass a message for each kind of difference."""
        for what, group in self.groups.items():
            option = self._option(group.originals)
            remedy = ": predictions may be wrong" if option is None else f": {option.words}"
            warn(f"{self._subject(group.names)} {'are' if group.names[1:] else 'is'} {what}{remedy}")
        if self.animated:
            verb = "have" if self.animated[1:] else "has"
            warn(f"{self._subject(self.animated)} {verb} several frames: only the first is read")

    def _subject(self, names: Sequence[str]) -> str:
        if len(names) == 1:
            return f"image {names[0]}" if names[0].isdigit() else names[0]
        listed = ", ".join(names[:NAMED]) + (", …" if names[NAMED:] else "")
        return f"{len(names):,} of {self.count:,} images ({listed})"

    def _option(self, originals: Sequence[Original]) -> Option | None:
        """The simplest option with which these images are like the training images, or at least much more alike."""
        sizes = [header(original)[0] for original in originals]
        best, least = None, self._distance(originals, sizes, self.layout) / 2
        for option in self._options():
            if option.layout.adjustment.extent is not None and not self._can_be_placed(originals, sizes, option.layout):
                continue
            distance = self._distance(originals, sizes, option.layout)
            if distance < least:
                best, least = option, distance
            if distance == 0:
                break
        return best

    def _options(self) -> list[Option]:
        invert, extent = self.layout.adjustment
        turned = "leave out --invert" if invert else "add --invert"
        options = [Option(turned, self.layout._replace(adjustment=Adjustment(not invert, extent)))]
        if self.statistics.has_drawings and extent is None:
            drawing = self.statistics.drawing
            both = f"{turned} and add --fit digit" if invert else f"{turned} --fit digit"
            options += [
                Option("add --fit digit", self.layout._replace(adjustment=Adjustment(invert, drawing))),
                Option(both, self.layout._replace(adjustment=Adjustment(not invert, drawing))),
            ]
        if self.layout.fit == "squash" and extent is None:
            options.append(Option("add --fit crop", self.layout._replace(fit="crop")))
        return options

    def _can_be_placed(self, originals: Sequence[Original], sizes: Sequence[Size], layout: ImageLayout) -> bool:
        """Whether `--fit digit` can bring the drawings closer to the training images.

        It needs background around a drawing, which MNIST's frame leaves. Where the drawings of the training images fill
        the frame, images whose drawings do so as well are as they should be, whatever else is different.
        """
        if self.statistics.extent[1] < FRAMED:
            return True
        unplaced = layout._replace(adjustment=layout.adjustment._replace(extent=None))
        images = torch.stack([pixels_of(original, unplaced) for original in originals])
        excesses = self._excesses(images, sizes, unplaced)
        return any(excess[feature] for excess in excesses for feature in PLACEMENT)

    def _distance(self, originals: Sequence[Original], sizes: Sequence[Size], layout: ImageLayout) -> float:
        """The mean distance of images from the training images, in tolerances; 0 where all are like them."""
        images = torch.stack([pixels_of(original, layout) for original in originals])
        excesses = self._excesses(images, sizes, layout)
        return sum(min(abs(value), 10) for excess in excesses for value in excess.values()) / len(originals)

    def _excesses(self, images: Tensor, sizes: Sequence[Size], layout: ImageLayout) -> list[dict[str, float]]:
        """For each image and feature, how far it is outside the range of the training images; 0 is inside."""
        outside = self.statistics.outside(appearance(images))
        rows = torch.stack(outside, 1).tolist()
        shown = [dict(zip(Appearance._fields, row, strict=True)) for row in rows]
        return [features | self._of_size(size, layout) for features, size in zip(shown, sizes, strict=True)]

    def _of_size(self, size: Size, layout: ImageLayout) -> dict[str, float]:
        """The same for the size of an image and the change of its aspect ratio."""
        small = 2 * max(size) < self.statistics.smallest
        change = distortion(size, layout.size) if layout.fit == "squash" and layout.adjustment.extent is None else 1
        changed = change > LARGEST_CHANGE * self.statistics.distortion
        return {"size": -1.0 if small else 0.0, "shape": 1.0 if changed else 0.0}
