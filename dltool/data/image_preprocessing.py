"""What stands between raw images and the model, saved with the run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from dltool.core.errors import DataError
from dltool.data.resize import resize_images
from dltool.data.scaling import PixelScaling

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow's convert("L").


@dataclass(frozen=True)
class ImagePreprocessing:
    """Brings images of any size to what the model was trained on.

    Attributes:
        channels: 1 for grey, 3 for RGB.
        raw_size: (height, width) of the training data's images; others are interpolated to it first.
        size: (height, width) that the model sees; from raw_size by padding or interpolation as in training.
        shift, factor: Of each channel's `(pixel - shift) * factor`.
        fit: How an image of another aspect comes to raw_size: by the whole of it ("squash"), or by the largest centred
            part of the wanted aspect ("crop").
    """

    gives_pixels: ClassVar[Literal[True]] = True

    channels: int
    raw_size: tuple[int, int]
    size: tuple[int, int]
    shift: tuple[float, ...]
    factor: tuple[float, ...]
    fit: Literal["crop", "squash"] = "squash"

    @classmethod
    def of(
        cls,
        scaling: PixelScaling,
        raw_size: tuple[int, int],
        size: tuple[int, int],
        fit: Literal["crop", "squash"] = "squash",
    ) -> "ImagePreprocessing":
        """What a data set with this scaling does to its images."""
        shift, factor = (tuple(values.flatten().tolist()) for values in (scaling.shift, scaling.factor))
        return cls(len(shift), raw_size, size, shift, factor, fit)

    def __call__(self, images: Tensor | Sequence[Tensor]) -> Tensor:
        """Prepare images.

        Args:
            images: uint8 `(B, C, H, W)`, or one `(C, H, W)` for each image, of any sizes; C is 1 or 3.

        Returns:
            float32 `(B, channels, *size)`, on the device of a tensor, or else on the CPU.

        Raises:
            DataError: There is no image, or it is none.
        """
        if len(images) == 0:
            raise DataError("there is no image")
        ready = isinstance(images, Tensor) and images.shape[1:] == (self.channels, *self.raw_size)
        batch = images if ready else torch.cat([self._to_raw(image) for image in images])
        assert isinstance(batch, Tensor)
        shift, factor = (
            torch.tensor(values, device=batch.device).view(1, -1, 1, 1) for values in (self.shift, self.factor)
        )
        return PixelScaling(shift, factor, None)(resize_images(batch, self.size, batch.device))

    def pixels(self, inputs: Tensor) -> Tensor:
        """What the model takes, `(B, C, H, W)`, as it looks: 0 … 255."""
        shift, factor = (inputs.new_tensor(values).view(1, -1, 1, 1) for values in (self.shift, self.factor))
        return (inputs / factor + shift).clamp(0, 255)

    def _to_raw(self, image: Tensor) -> Tensor:
        """One image as the training data has them: uint8 `(1, channels, *raw_size)`."""
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
        # Never padded here: another size is another photograph, not a margin that is lacking.
        sized = F.interpolate(image.float(), size=self.raw_size, mode="bilinear", antialias=True)
        return sized.round_().clamp_(0, 255).to(torch.uint8)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `from_dict` makes an equal object of it."""
        return {"kind": "image", **asdict(self)}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> "ImagePreprocessing":
        fields: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in saved.items()}
        del fields["kind"]
        return cls(**fields)


def centre(images: Tensor, aspect: float) -> Tensor:
    """The largest centred part of `(B, C, H, W)` whose width is `aspect` times its height."""
    height, width = images.shape[2:]
    kept_height, kept_width = min(height, round(width / aspect)), min(width, round(height * aspect))
    top, left = (height - max(kept_height, 1)) // 2, (width - max(kept_width, 1)) // 2
    return images[:, :, top : top + max(kept_height, 1), left : left + max(kept_width, 1)]
