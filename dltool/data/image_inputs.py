"""Images to predict from: files, folders of them, PIL images, arrays and tensors, all prepared in the same way."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from dltool.core.errors import DataError
from dltool.data.decoding import UNCHANGED, Adjustment, decode, decode_object, from_16_bits, upright_size
from dltool.data.image_files import SUFFIXES, Decoder, ImageFiles, choose_workers, frames, is_hidden
from dltool.data.raw_inputs import Raw, as_paths
from dltool.data.resize import Size

if TYPE_CHECKING:
    from PIL.Image import Image

Original = Any  # The path of a file as a str, or an image of PIL in memory.
UINT8 = "array.astype('uint8'), 0 is black and 255 white"


class ImageLayout(NamedTuple):
    """The format of the training data's images.

    Attributes:
        channels: 1 for grey, 3 for RGB.
        size: (height, width).
        fit: How an image of another aspect ratio is fitted; see ImagePreprocessing.
        adjustment: Changes before that.
    """

    channels: int
    size: tuple[int, int]
    fit: Literal["crop", "squash"]
    adjustment: Adjustment = UNCHANGED


class ImageBatch(NamedTuple):
    """Images that were read.

    Attributes:
        names: Of each.
        originals: Of each, the path of its file, or the object in memory.
        pixels: uint8 `(B, channels, *size)`.
    """

    names: list[str]
    originals: Sequence[Original]
    pixels: Tensor


def read_images(inputs: Raw, layout: ImageLayout, batch_size: int) -> Iterator[ImageBatch]:
    """Batches of images, of files and folders or in memory.

    Raises:
        DataError: They cannot be read, or are not images.
    """
    paths = as_paths(inputs)
    if paths is not None:
        yield from image_files(find_images(paths), layout, batch_size)
    else:
        yield from image_objects(inputs, layout, batch_size)


def find_images(paths: Sequence[Path]) -> list[Path]:
    """The files, and all images in the folders and their subfolders, by name."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if is_image(file, path))
            if not inside:
                raise DataError(f"{path.resolve()} has no images ({', '.join(sorted(SUFFIXES))})")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise DataError(f"{path.resolve()} does not exist", f"the folder has {nearby(path)}")
    return found


def is_image(file: Path, folder: Path) -> bool:
    return (
        file.suffix.lower() in SUFFIXES and not any(map(is_hidden, file.relative_to(folder).parts)) and file.is_file()
    )


def nearby(path: Path) -> str:
    folder = next(parent for parent in path.resolve().parents if parent.is_dir())
    names = sorted(entry.name for entry in os.scandir(folder))
    return (", ".join(names[:8]) + (" …" if names[8:] else "")) or "nothing"


def image_files(paths: Sequence[Path], layout: ImageLayout, batch_size: int) -> Iterator[ImageBatch]:
    """Decode files, many of them by workers, as in training on a folder of images."""
    files = ImageFiles(Path.cwd(), [str(path) for path in paths], layout.channels)
    decoder = Decoder(files, layout.size, layout.fit, choose_workers("auto", files), layout.adjustment)
    rows = [list(range(start, min(start + batch_size, len(paths)))) for start in range(0, len(paths), batch_size)]
    for part, (images, failures) in zip(rows, decoder.stream(rows), strict=True):
        if failures:
            place, reason = failures[0]
            more = f" (and {len(failures) - 1} more)" if failures[1:] else ""
            raise DataError(f"{paths[part[place]].resolve()}: {reason}{more}", "fix or remove it")
        yield ImageBatch([files.paths[row] for row in part], [files.path(row) for row in part], images)


def image_objects(inputs: Any, layout: ImageLayout, batch_size: int) -> Iterator[ImageBatch]:
    """Images in memory, prepared in the same way as images in files.

    Args:
        inputs: PIL images, arrays or tensors, one or several; see Run.predict.
        layout: The format of the training data's images.
        batch_size: Largest size of a batch.

    Raises:
        DataError: One is not an image, or the range of its values is ambiguous.
    """
    images = separate(inputs)
    for start in range(0, len(images), batch_size):
        part = images[start : start + batch_size]
        names = [str(start + place) for place in range(len(part))]
        originals = [pil_image(image, name) for name, image in zip(names, part, strict=True)]
        pixels = []
        for name, image in zip(names, originals, strict=True):
            try:
                pixels.append(pixels_of(image, layout))
            except Exception as error:  # PIL raises many types, for a truncated file or a rare mode.
                raise DataError(f"image {name}: {' '.join(str(error).split()) or type(error).__name__}") from error
        yield ImageBatch(names, originals, torch.stack(pixels))


def separate(inputs: Any) -> Sequence[Any]:
    """The images of a batch or a list; a single image becomes a list of one."""
    batch = isinstance(inputs, (Tensor, np.ndarray)) and inputs.ndim == 4
    return list(inputs) if batch or isinstance(inputs, Sequence) else [inputs]


def pil_image(image: Any, name: str) -> "Image":
    """An image in memory as an object of PIL, which is not changed if it is one."""
    from PIL import Image

    if isinstance(image, Image.Image):
        return image
    array = as_bytes(image.detach().cpu().numpy() if isinstance(image, Tensor) else image, name)
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def pixels_of(original: Original, layout: ImageLayout) -> Tensor:
    """One image in the layout, uint8 `(channels, *size)`."""
    read = decode if isinstance(original, str) else decode_object
    pixels = read(original, layout.channels, layout.size, layout.fit, layout.adjustment)
    return torch.from_numpy(np.array(pixels))  # PIL's memory is read-only, and torch warns about that.


def header(original: Original) -> tuple[Size, int]:
    """Upright height and width of an image that can be decoded, and the number of frames in its file."""
    from PIL import Image

    if not isinstance(original, str):
        return upright_size(original), 1
    with Image.open(original) as image:
        return upright_size(image), frames(image)


def as_bytes(image: Any, name: str) -> np.ndarray:
    """Pixels of 0 … 255, uint8 `(H, W, C)`, C is 1 or 3, of an array of another type or layout.

    Raises:
        DataError: It does not have the shape of an image, or the range of its values is ambiguous.
    """
    try:
        array = channels_last(np.asarray(image), name)
    except (TypeError, ValueError) as error:
        raise DataError(f"image {name} is a {type(image).__name__}, which is not an array: {error}") from error
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype == bool:  # As a file of one bit per pixel.
        return np.where(array, np.uint8(255), np.uint8(0))
    if array.dtype.kind not in "iuf" or not array.size:
        raise DataError(f"image {name} is an array of {array.dtype} {array.shape}", UINT8)
    least, largest = array.min(), array.max()
    what = f"image {name} is an array of {array.dtype} from {least:g} to {largest:g}"
    if array.dtype == np.uint16:
        if 0 < largest < 256:
            raise DataError(f"{what}: 8 bits or 16?", f"{UINT8}; of 16 bits: PIL.Image.fromarray(array)")
        return from_16_bits(array)
    if array.dtype.kind == "f":
        hint = "(255 * array).round().astype('uint8')" if largest <= 1 else "array.round().astype('uint8')"
    else:
        hint = UINT8 if largest < 256 else "array.astype('uint16')"
    raise DataError(f"{what}; images are uint8, 0 … 255, or uint16, 0 … 65535", hint)


def channels_last(array: np.ndarray, name: str) -> np.ndarray:
    """`(H, W)`, `(H, W, C)` or `(C, H, W)`, C is 1 or 3, as `(H, W, C)`."""
    if array.ndim == 2:
        return array[..., None]
    first, last = (array.ndim == 3 and array.shape[axis] in (1, 3) for axis in (0, 2))
    if first == last:
        problem = "is (C, H, W) or (H, W, C)" if first else "is none of (H, W), (H, W, C) and (C, H, W) with C 1 or 3"
        raise DataError(
            f"image {name} of the shape {array.shape} {problem}", "PIL.Image.fromarray(array) determines the layout"
        )
    return array.transpose(1, 2, 0) if first else array
