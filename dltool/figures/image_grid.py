"""Generated images as PIL images, alone or in a grid, pixel by pixel."""

import math
from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.style import GRID_GAP

if TYPE_CHECKING:  # PIL is imported when the first image is created.
    from PIL import Image

GRID_PIXELS = 640


def to_pixels(images: np.ndarray, value_range: tuple[float, float] | None) -> np.ndarray:
    """Samples `(N, C, H, W)` as uint8: three channels as RGB, otherwise the first one.

    Args:
        images: The model's samples.
        value_range: The values of black and white; None for the minimum and the maximum.
    """
    low, high = value_range or (images.min(), images.max())
    scaled = np.nan_to_num((images - low) / max(high - low, 1e-12)).clip(0, 1)
    pixels: np.ndarray = (255 * scaled).round().astype(np.uint8)
    return pixels if pixels.shape[1] == 3 else pixels[:, :1]


def to_image(pixels: np.ndarray) -> "Image.Image":
    """uint8 `(C, H, W)`, C 1 or 3, as an image of that size."""
    from PIL import Image

    return Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def image_grid(
    images: np.ndarray,
    value_range: tuple[float, float] | None,
    num_columns: int | None = None,
    num_empty: int = 0,
) -> "Image.Image":
    """Images as a grid, enlarged to about 640 pixels without smoothing.

    Args:
        images: `(N, C, H, W)`; one channel is drawn grey, three as RGB, otherwise the first one.
        value_range: The values of black and white; None for the minimum and the maximum.
        num_columns: Images in a row; None for about as many as there are rows.
        num_empty: Cells without an image before the first one.
    """
    pixels = to_pixels(images, value_range)
    side = num_columns or math.ceil(math.sqrt(len(pixels)))
    zoom = max(1, round(GRID_PIXELS / side / pixels.shape[2]))
    pixels = pixels.repeat(zoom, axis=2).repeat(zoom, axis=3)

    _, num_channels, height, width = pixels.shape
    gap = max(2, height // 16)
    num_rows = math.ceil((num_empty + len(pixels)) / side)
    shape = (num_channels, num_rows * (height + gap) + gap, side * (width + gap) + gap)
    grid = np.full(shape, GRID_GAP, dtype=np.uint8)
    for i, image in enumerate(pixels, start=num_empty):
        top, left = gap + i // side * (height + gap), gap + i % side * (width + gap)
        grid[:, top : top + height, left : left + width] = image
    return to_image(grid)
