"""Decodes one image to pixels of the requested size: any format, mode and orientation, from a file or in memory."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from dltool.data.digit_fit import fit_digit

if TYPE_CHECKING:
    from PIL.Image import Image

Fit = Literal["crop", "squash"]
QUARTER_TURNS = (5, 6, 7, 8)  # EXIF orientations that exchange height and width.
TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")
MAX_PIXELS = 80_000_000  # They take 500 MB while they are converted; a file of 200 KB can have them.
SHARPNESS = 2  # A JPEG is read at a size at least this many times the requested one, where it is larger than that.


class Adjustment(NamedTuple):
    """Changes to an image to predict from, so that it looks as the training images do.

    Attributes:
        invert: Exchange black and white.
        extent: Crop, scale and centre the drawing as `fit_digit` does, its longer side this share of the result's
            smaller side; None leaves it where it is.
    """

    invert: bool = False
    extent: float | None = None


UNCHANGED = Adjustment()


def decode(
    path: str | io.BytesIO, channels: int, size: tuple[int, int], fit: Fit, adjustment: Adjustment = UNCHANGED
) -> np.ndarray:
    """Read an image file, the first frame of an animation. See `to_pixels`.

    A JPEG that is much larger than `size` is decoded at 1/2, 1/4 or 1/8 of its size, in a third less time; apart from
    rounding, the result is that of the whole image.

    Raises:
        Exception: Of many types, as PIL raises them for a file that it cannot read.
    """
    from PIL import Image

    with Image.open(path) as image:
        shrink = SHARPNESS * max(size) / min(image.size)
        if image.format == "JPEG" and shrink < 1 and adjustment.extent is None:
            image.draft(None, (round(image.width * shrink), round(image.height * shrink)))
        return to_pixels(image, channels, size, fit, adjustment)


def decode_object(
    image: "Image", channels: int, size: tuple[int, int], fit: Fit, adjustment: Adjustment = UNCHANGED
) -> np.ndarray:
    """Convert an image in memory to the pixels that its file gives. See `to_pixels`."""
    file = getattr(image, "fp", None)
    if image.format != "JPEG" or file is None:
        return to_pixels(image, channels, size, fit, adjustment)
    # The object of a JPEG that is not decoded yet: the file is read as `decode` does, and the object is not changed.
    position = file.tell()
    file.seek(0)
    content = io.BytesIO(file.read())
    file.seek(position)
    return decode(content, channels, size, fit, adjustment)


def to_pixels(
    image: "Image", channels: int, size: tuple[int, int], fit: Fit, adjustment: Adjustment = UNCHANGED
) -> np.ndarray:
    """Convert an image of any mode and orientation, from a file or in memory, to the pixels of a data set.

    Args:
        image: The image, which is not changed.
        channels: 3 for RGB, 1 for grey. Transparent pixels become white, 16 bits become 8.
        size: Height and width.
        fit: "crop" takes a centred window of the requested aspect ratio, "squash" the whole image; then the image is
            interpolated (bilinear, antialiased).
        adjustment: Changes for a prediction.

    Returns:
        uint8 `(channels, height, width)`.

    Raises:
        Exception: Of many types, as PIL raises them for an image that it cannot convert.
    """
    from PIL import ImageOps

    if image.width * image.height > MAX_PIXELS:
        raise ValueError(f"it has {image.width:,} × {image.height:,} pixels, more than {MAX_PIXELS:,}")
    upright = as_8_bits(ImageOps.exif_transpose(image), "RGB" if channels == 3 else "L")
    if adjustment.extent is None:
        array = np.asarray(fitted(upright, size, fit))
        pixels = array.transpose(2, 0, 1) if channels == 3 else array[None]  # (C, H, W)
    else:
        placed = fit_digit(np.asarray(upright.convert("L")), size, adjustment.extent)
        pixels = placed[None].repeat(channels, 0)
    return 255 - pixels if adjustment.invert else pixels


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
        check_integers(np.asarray(image))
        image = Image.fromarray(from_16_bits(np.asarray(image)))
    elif image.mode == "F":
        check_floats(np.asarray(image))
    elif is_transparent(image):
        image = image.convert("LA") if image.mode == "La" else image  # PIL converts premultiplied grey to nothing else.
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(mode)


def is_transparent(image: "Image") -> bool:
    """Whether pixels may be transparent: by a channel, a colour, or the palette."""
    palette = image.mode == "P" and image.palette is not None and image.palette.mode.endswith("A")
    return image.mode in TRANSPARENT or palette or "transparency" in image.info


def check_integers(values: np.ndarray) -> None:
    """Raises ValueError for integer pixels of more than 16 bits, whose range is unknown."""
    least, largest = values.min(), values.max()
    if least < 0 or largest > 65535:
        raise ValueError(f"its pixels are integers from {least} to {largest}, but black to white must be 0 … 65535")


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
