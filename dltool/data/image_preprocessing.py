"""The preprocessing from raw images to model inputs, saved with the run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from dltool.core.errors import DataError
from dltool.core.spec import DataSpec
from dltool.data.decoding import UNCHANGED, Adjustment
from dltool.data.digit_fit import MNIST_EXTENT
from dltool.data.image_comparison import Comparison
from dltool.data.image_inputs import ImageLayout, read_images
from dltool.data.image_statistics import LUMA, ImageStatistics
from dltool.data.preprocessing import Preprocessing, example_generator
from dltool.data.raw_front import Pixels, RawFront
from dltool.data.raw_inputs import Named, Raw
from dltool.data.resize import resize_images
from dltool.data.scaling import PixelScaling


@dataclass(frozen=True)
class ImagePreprocessing(Preprocessing):
    """Converts images of any size to the inputs that the model was trained on.

    Attributes:
        channels: 1 for grey, 3 for RGB.
        raw_size: (height, width) of the training data's images; others are interpolated to it first.
        size: (height, width) of the model's inputs; from raw_size by padding or interpolation as in training.
        shift, factor: Of each channel's `(pixel - shift) * factor`.
        fit: How an image of another aspect ratio is fitted to raw_size: the whole image ("squash"), or its largest
            centred part of that aspect ratio ("crop").
        statistics: The appearance of the training images; None for an older run.
        adjustment: Changes to the images of one prediction; not saved.
    """

    gives_pixels: ClassVar[bool] = True

    channels: int
    raw_size: tuple[int, int]
    size: tuple[int, int]
    shift: tuple[float, ...]
    factor: tuple[float, ...]
    fit: Literal["crop", "squash"] = "squash"
    statistics: ImageStatistics | None = None
    adjustment: Adjustment = UNCHANGED

    @classmethod
    def of(
        cls,
        scaling: PixelScaling,
        raw_size: tuple[int, int],
        size: tuple[int, int],
        fit: Literal["crop", "squash"] = "squash",
        statistics: ImageStatistics | None = None,
    ) -> "ImagePreprocessing":
        """The preprocessing of a data set with this scaling."""
        shift, factor = (tuple(values.flatten().tolist()) for values in (scaling.shift, scaling.factor))
        return cls(len(shift), raw_size, size, shift, factor, fit, statistics)

    def __call__(self, images: Tensor | Sequence[Tensor]) -> Tensor:
        """Prepare images.

        Args:
            images: uint8 `(B, C, H, W)`, or one `(C, H, W)` for each image, of any sizes; C is 1 or 3.

        Returns:
            float32 `(B, channels, *size)`, on the device of a tensor, or else on the CPU.

        Raises:
            DataError: No image is given, or one is not an image.
        """
        if len(images) == 0:
            raise DataError("no image is given")
        ready = isinstance(images, Tensor) and images.shape[1:] == (self.channels, *self.raw_size)
        batch = images if ready else torch.cat([self._to_raw(image) for image in images])
        assert isinstance(batch, Tensor)
        shift, factor = (
            torch.tensor(values, device=batch.device).view(1, -1, 1, 1) for values in (self.shift, self.factor)
        )
        return PixelScaling(shift, factor, None)(resize_images(batch, self.size, batch.device))

    @property
    def layout(self) -> ImageLayout:
        """The format in which images are read."""
        return ImageLayout(self.channels, self.raw_size, self.fit, self.adjustment)

    def read(self, inputs: Raw, batch_size: int) -> Iterator[Named]:
        for names, _, images in read_images(inputs, self.layout, batch_size):
            yield names, self(images)

    def read_and_compare(self, inputs: Raw, batch_size: int, warn: Callable[[str], None]) -> Iterator[Named]:
        if self.statistics is None:
            yield from self.read(inputs, batch_size)
            return
        comparison = Comparison(self.statistics, self.layout)
        for names, originals, images in read_images(inputs, self.layout, batch_size):
            comparison.add(names, originals, images)
            yield names, self(images)
        comparison.report(warn)

    def adjusted(self, *, invert: bool, fit: Literal["crop", "squash", "digit"] | None) -> "ImagePreprocessing":
        if fit != "digit":
            return replace(self, fit=fit or self.fit, adjustment=Adjustment(invert))
        drawn = self.statistics is not None and self.statistics.has_drawings
        extent = self.statistics.drawing if self.statistics is not None and drawn else MNIST_EXTENT
        return replace(self, adjustment=Adjustment(invert, extent))

    def describe(self) -> str:
        height, width = self.size
        return f"images of {height}×{width}, each channel as (pixel - shift) * factor, pixels 0 to 255"

    def example_inputs(self, count: int) -> Tensor:
        front = self.raw_front()
        prepared: Tensor = front.module(front.samples(count))
        return prepared

    def raw_front(self) -> RawFront:
        """Takes images of the raw size, or of the model's if training interpolated to it; examples are uniform."""
        module = Pixels(self.raw_size, self.size, self.shift, self.factor)
        height, width = module.size

        def samples(count: int) -> Tensor:
            shape = (count, self.channels, height, width)
            return torch.randint(0, 256, shape, generator=example_generator(count), dtype=torch.uint8)

        color = "RGB" if self.channels == 3 else "grey"
        return RawFront(module, samples, f"{color} images of {height}×{width}, pixels 0 to 255")

    def completed(self, spec: DataSpec) -> DataSpec:
        return replace(spec, pixel_shift=self.shift, pixel_factor=self.factor)

    def from_pixels(self, images: Tensor) -> Tensor:
        return self(images)

    def pixels(self, inputs: Tensor) -> Tensor:
        """Model inputs `(B, C, H, W)` as pixels of 0 … 255."""
        shift, factor = (inputs.new_tensor(values).view(1, -1, 1, 1) for values in (self.shift, self.factor))
        return (inputs / factor + shift).clamp(0, 255)

    def _to_raw(self, image: Tensor) -> Tensor:
        """One image in the format of the training data: uint8 `(1, channels, *raw_size)`."""
        if image.dtype != torch.uint8 or image.ndim != 3 or image.shape[0] not in (1, 3):
            raise DataError(f"an image is uint8 (C, H, W) with 1 or 3 channels, not {image.dtype} {tuple(image.shape)}")
        if image.shape[0] == 1 and self.channels == 3:
            image = image.expand(3, -1, -1)
        elif image.shape[0] == 3 and self.channels == 1:
            grey = sum(weight * channel.float() for weight, channel in zip(LUMA, image, strict=True))
            image = torch.as_tensor(grey).round().to(torch.uint8)[None]  # (1, H, W)
        image = image[None]
        if tuple(image.shape[2:]) == self.raw_size:
            return image
        if self.fit == "crop":
            image = centre(image, self.raw_size[1] / self.raw_size[0])
        # Never padded here: an image of another size is another photograph, not one without its margin.
        sized = F.interpolate(image.float(), size=self.raw_size, mode="bilinear", antialias=True)
        return sized.round_().clamp_(0, 255).to(torch.uint8)

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON, from which `from_dict` restores an equal object."""
        saved = asdict(self)
        del saved["adjustment"]
        return {"kind": "image", **saved}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> "ImagePreprocessing":
        fields: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in saved.items()}
        del fields["kind"]
        statistics = fields.get("statistics")  # An older run has none.
        return cls(**fields | {"statistics": statistics and ImageStatistics.from_dict(statistics)})


def centre(images: Tensor, aspect: float) -> Tensor:
    """The largest centred part of `(B, C, H, W)` whose width is `aspect` times its height."""
    height, width = images.shape[2:]
    kept_height, kept_width = min(height, round(width / aspect)), min(width, round(height * aspect))
    top, left = (height - max(kept_height, 1)) // 2, (width - max(kept_width, 1)) // 2
    return images[:, :, top : top + max(kept_height, 1), left : left + max(kept_width, 1)]
