"""Resizes images to the sizes that a model takes."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from dltool.core.errors import ConfigError, DataError
from dltool.core.shell import setting

Size = tuple[int, int]
LARGEST_PADDING = 4  # Pixels in all per dimension: LeCun et al. (1998) set MNIST's 28×28 in 32×32.
CHUNK_BYTES = 2**23  # Of resized float32 pixels at a time; with 200 MB an image took 2.5 times as long.


def choose_size(size: Size, resize: Literal["auto"] | int | list[int] | None, model: Mapping[str, Any]) -> Size:
    """The (height, width) that images are resized to.

    Args:
        size: Original height and width of the images.
        resize: "auto" keeps the original size if the model takes it, else its native size; a number is both sides;
            a list is [height, width]; None keeps the original size.
        model: The model's traits; `min_size` and `native_size` are absent where it takes any size.

    Raises:
        ConfigError: The list does not have two items.
        DataError: The chosen size is less than the model's smallest.
    """
    least = model.get("min_size") or 1
    native = model.get("native_size") or least
    if resize == "auto":
        return size if min(size) >= least else (native, native)
    if isinstance(resize, list) and len(resize) != 2:
        raise ConfigError(f"data.resize={resize} is not [height, width]", hint=setting("data.resize", [native, native]))
    chosen = size
    if resize is not None:
        chosen = (resize[0], resize[1]) if isinstance(resize, list) else (resize, resize)
    if min(chosen) < least:
        raise DataError(
            f"images of {describe(chosen)} are smaller than {describe((least, least))}, "
            f"the smallest size that the model takes (data.resize={'null' if resize is None else resize})",
            hint=f"data.resize=auto or {setting('data.resize', native)}",
        )
    return chosen


def resize_images(images: Tensor, size: Size, device: torch.device) -> Tensor:
    """Resize images to `size`: padded evenly with 0 if that is at most 4 pixels more, else interpolated.

    Args:
        images: uint8 `(N, C, H, W)`.
        size: Height and width.
        device: Where to interpolate (bilinear, antialiased).

    Returns:
        uint8 `(N, C, *size)`, on the device of `images`.
    """
    height, width = images.shape[2:]
    if (height, width) == size:
        return images
    if is_padding((height, width), size):
        top, left = (size[0] - height) // 2, (size[1] - width) // 2
        return F.pad(images, (left, size[1] - width - left, top, size[0] - height - top))
    resized = images.new_empty(*images.shape[:2], *size)
    at_a_time = max(1, CHUNK_BYTES // (4 * images.shape[1] * size[0] * size[1]))
    for source, chunk in zip(images.split(at_a_time), resized.split(at_a_time), strict=True):
        pixels = F.interpolate(source.to(device).float(), size=size, mode="bilinear", antialias=True)
        chunk.copy_(pixels.round_().clamp_(0, 255))
    return resized


def unpadded(images: Tensor, size: Size) -> Tensor:
    """Images `(N, C, H, W)` that were padded from `size`, without the padding; others are returned as they are."""
    height, width = images.shape[2:]
    if not is_padding(size, (height, width)):
        return images
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    return images[:, :, top : top + size[0], left : left + size[1]]


def is_padding(old: Size, new: Size) -> bool:
    return all(0 <= n - o <= LARGEST_PADDING for o, n in zip(old, new, strict=True))


def describe(size: Size) -> str:
    return f"{size[0]}×{size[1]}"
