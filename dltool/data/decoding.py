"""Decodes one image to pixels of the requested size: any format, mode and orientation, from a file or in memory."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

Fit = Literal["crop", "squash"]
QUARTER_TURNS = (5, 6, 7, 8)  # EXIF orientations that exchange height and width.
SHARPNESS = 2  # A JPEG is read at a size at least this many times the requested one, where it is larger than that.


def decode(path: str, channels: int, size: tuple[int, int], fit: Fit) -> np.ndarray:
    """Read an image file, the first frame of an animation. See `to_pixels`.

    A JPEG that is much larger than `size` is decoded at 1/2, 1/4 or 1/8 of its size, in a third less time; apart from
    rounding, the result is that of the whole image.

    Raises:
        Exception: Of many types, as PIL raises them for a file that it cannot read.
    """
    from PIL import Image

    with Image.open(path) as image:
        shrink = SHARPNESS * max(size) / min(image.size)
        if image.format == "JPEG" and shrink < 1:
            image.draft(None, (round(image.width * shrink), round(image.height * shrink)))
        return to_pixels(image, channels, size, fit)


def to_pixels(image: "Image", channels: int, size: tuple[int, int], fit: Fit) -> np.ndarray:
    """Convert an image of any mode and orientation, from a file or in memory, to the pixels of a data set.

    Args:
        image: The image, which is not changed.
        channels: 3 for RGB, 1 for grey. Transparent pixels become white, 16 bits become 8.
        size: Height and width.
        fit: "crop" takes a centred window of the requested aspect ratio, "squash" the whole image; then the image is
            interpolated (bilinear, antialiased).

    Returns:
        uint8 `(channels, height, width)`.

    Raises:
        Exception: Of many types, as PIL raises them for an image that it cannot convert.
    """
    from PIL import ImageOps

    upright = as_8_bits(ImageOps.exif_transpose(image), "RGB" if channels == 3 else "L")
    array = np.asarray(fitted(upright, size, fit))
    return array.transpose(2, 0, 1) if channels == 3 else array[None]  # (C, H, W)


def upright_size(image: "Image") -> tuple[int, int]:
    """Height and width of an image after its EXIF orientation is applied."""
    from PIL.ExifTags import Base

    turned = image.getexif().get(Base.Orientation) in QUARTER_TURNS
    return (image.width, image.height) if turned else (image.height, image.width)


def fitted(image: "Image", size: tuple[int, int], fit: Fit) -> "Image":
    """The image resized to the given height and width."""
    from PIL import Image

    height, width = size
    if image.size == (width, height):
        return image
    if fit == "squash":
        return image.resize((width, height), Image.Resampling.BILINEAR)
    scale = min(image.width / width, image.height / height)
    # 225 / 224 * 224 > 225 in floating point.
    kept_width, kept_height = min(scale * width, image.width), min(scale * height, image.height)
    left, top = (image.width - kept_width) / 2, (image.height - kept_height) / 2
    box = (left, top, left + kept_width, top + kept_height)
    return image.resize((width, height), Image.Resampling.BILINEAR, box=box)


def as_8_bits(image: "Image", mode: str) -> "Image":
    """An image of any mode as "RGB" or "L"."""
    from PIL import Image

    if image.mode == mode and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):  # 16 bits, in 16 or 32; PIL's own conversion would cut off at 255.
        image = Image.fromarray(from_16_bits(np.asarray(image)))
    elif image.mode == "F":
        check_floats(np.asarray(image))
    elif image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(mode)


def from_16_bits(values: np.ndarray) -> np.ndarray:
    """0 … 65535 as 0 … 255, rounded."""
    return ((values.clip(0, 65535).astype(np.uint32) + 128) // 257).astype(np.uint8)


def check_floats(values: np.ndarray) -> None:
    """Raises ValueError for floating-point pixels whose range may not be 0 … 255."""
    least, largest = values.min(), values.max()
    if not (least >= 0 and (largest == 0 or 1 < largest <= 255)):
        raise ValueError(f"its pixels are floats from {least:g} to {largest:g}, but black to white must be 0 … 255")


def explain(path: str, error: Exception) -> str:
    """Why a file could not be read, in a few words."""
    try:
        if Path(path).stat().st_size == 0:
            return "it is empty, 0 bytes"
    except OSError as missing:
        return missing.strerror or str(missing)
    if type(error).__name__ == "UnidentifiedImageError":
        return "it is not an image of a known format"
    return " ".join(str(error).split()) or type(error).__name__
