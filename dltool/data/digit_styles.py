"""Digits in another style: the same images, inverted, turned, thinner or thicker."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from dltool.core.errors import DataError
from dltool.data.arrays import RawData, Split
from dltool.data.builtin import digits
from dltool.data.image_data import ImageData, ResizeAt
from dltool.data.mnist import mnist
from dltool.data.preprocessing import Preprocessing
from dltool.data.sample_data import LoadFunction
from dltool.data.scaling import Scaling
from dltool.declarations.component import Handling, Location, Source, register, requires

Style = Literal["upright", "inverted", "turned", "thin", "thick"]


root_is_of_mnist = requires(
    lambda config: config.data.source == "mnist" or config.data.root is None,
    "data.root is the folder of MNIST, but data.source=digits comes with dltool",
    hint="data.source=mnist",
)


def thickened(images: Tensor) -> Tensor:
    """Grey dilation: each pixel becomes the lightest of its 3×3."""
    return F.max_pool2d(images.float(), 3, stride=1, padding=1).to(torch.uint8)


def thinned(images: Tensor) -> Tensor:
    """Grey erosion: each pixel becomes the darkest of its 2×2; 3×3 would break the strokes of MNIST."""
    return 255 - F.max_pool2d(F.pad(255 - images.float(), (0, 1, 0, 1)), 2, stride=1).to(torch.uint8)


STYLES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "upright": lambda images: images,
    "inverted": lambda images: 255 - images,
    "turned": lambda images: images.flip(2, 3),
    "thin": thinned,
    "thick": thickened,
}


class StyleData(ImageData):
    """Images that are converted to other styles after resizing.

    Args:
        load: Loads the data.
        styles: Each image is there once in each style, in the same split: "upright" as it is; "inverted" with black and
            white exchanged; "turned" upside down; "thin" and "thick" by grey erosion and dilation of its strokes.
        shared: See ImageData.
    """

    def __init__(
        self,
        load: LoadFunction,
        *,
        styles: Handling[list[Style]] = ["upright", "inverted"],  # noqa: B006 (the YAML's default; never changed)
        **shared: Any,
    ) -> None:
        super().__init__(load, **shared)
        self.styles = styles

    def _shape(self, model_traits: Mapping[str, Any]) -> None:
        if not self.styles:
            raise DataError("data.styles is empty", "'data.styles=[upright]'")
        super()._shape(model_traits)
        self.splits = {name: in_styles(split, self.styles) for name, split in self.splits.items()}

    def _choose_resize_at(self, num_bytes: int) -> ResizeAt:
        """Always at loading: a style needs the pixels of the final size."""
        return "loading"

    def _scale(self, raw: RawData, pixel_scaling: Scaling | None) -> tuple[float, float] | None:
        input_range = super()._scale(raw, pixel_scaling)
        # For the same reason, an image to predict from is not resized to the raw size.
        self.preprocessing = replace(self.preprocessing, raw_size=self.preprocessing.size)
        return input_range

    def _reuse(self, raw: RawData, preprocessing: Preprocessing) -> None:
        super()._reuse(raw, preprocessing)
        self.resize = list(self.preprocessing.size)
        self._shape({})


def in_styles(split: Split, styles: Sequence[Style]) -> Split:
    """The samples of a split in each of the styles, one style after the other."""
    inputs = torch.cat([STYLES[style](split.inputs) for style in styles])
    return Split(inputs, split.targets.repeat(len(styles)), split.places.repeat(len(styles)))


@register("data", "digit_styles", into=StyleData, inputs="image", targets="classes")
@root_is_of_mnist
@requires(
    lambda config: config.data.resize_at != "batch",
    "data.resize_at=batch: styles are applied when the data is loaded, to images of the final size",
    hint="data.resize_at=auto",
)
def digit_styles(
    rng: torch.Generator, *, source: Source[Literal["digits", "mnist"]] = "digits", root: Location[str | None] = None
) -> RawData:
    """Handwritten digits in one or more styles, to train the classifier that evaluates translations between them.

    Args:
        rng: Unused: nothing is random.
        source: "digits", the built-in ones of 8×8 pixels, or "mnist".
        root: Folder of MNIST, see data=mnist.
    """
    return load_digits(rng, source, root)


def load_digits(rng: torch.Generator, source: Literal["digits", "mnist"], root: str | None) -> RawData:
    return digits(rng) if source == "digits" else mnist(rng, root=root)
