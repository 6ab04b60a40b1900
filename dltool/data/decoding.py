"""One image file to pixels of the wanted size: any format, mode and orientation."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

Fit = Literal["crop", "squash"]
SHARPNESS = 2  # A JPEG is read at a size at least this many times the wanted one, where it is larger than that.


def decode(path: str, channels: int, size: tuple[int, int], fit: Fit) -> np.ndarray:
    """Read an image; of an animation the first picture.

    Args:
        path: The file.
        channels: 3 for RGB, 1 for grey. What is transparent becomes white, 16 bits become 8.
        size: Height and width.
        fit: "crop" cuts off what a centred window with the wanted aspect leaves over, "squash" nothing;
            then the image is interpolated (bilinear, antialiased).

    Returns:
        uint8 `(channels, height, width)`.

    Raises:
        Exception: Of many kinds, as PIL raises them for a file that it cannot read.
    """
    array = np.asarray(fitted(read_image(path, channels, size), size, fit))
    return array.transpose(2, 0, 1) if channels == 3 else array[None]  # (C, H, W)


def read_image(path: str, channels: int, size: tuple[int, int]) -> "Image":
    """A file as an upright image in "RGB" or "L".

    A JPEG that is much larger than `size` is decoded at 1/2, 1/4 or 1/8 of its size, in a third less time.
    """
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        shrink = SHARPNESS * max(size) / min(image.size)
        if image.format == "JPEG" and shrink < 1:
            image.draft(None, (round(image.width * shrink), round(image.height * shrink)))
        return as_8_bits(ImageOps.exif_transpose(image), "RGB" if channels == 3 else "L")


def fitted(image: "Image", size: tuple[int, int], fit: Fit) -> "Image":
    """The image in the given height and width."""
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
        values = np.asarray(image).clip(0, 65535)
        image = Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
    elif image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(mode)


def explain(path: str, error: Exception) -> str:
    """Why a file could not be read, in a few words."""
    try:
        if Path(path).stat().st_size == 0:
            return "it is empty, 0 bytes"
    except OSError as missing:
        return missing.strerror or str(missing)
    if type(error).__name__ == "UnidentifiedImageError":
        return "it is no image of a known format"
    return " ".join(str(error).split()) or type(error).__name__
