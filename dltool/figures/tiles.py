"""Many small images as one array, so that a figure with hundreds of them has one axes and is drawn quickly."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dltool.figures.fonts import has_cjk

GAP = 0.08  # Fraction of a tile's longer side.
TILE = 96  # Minimum pixels of a tile's longer side, so that a 3×3 kernel has sharp edges.
NUM_LETTERS = 15  # Letters of a class name that fit below an image.


class Tiles(NamedTuple):
    """Tiles in rows, on white.

    Attributes:
        pixels: `(height, width, 3)` in 0 … 1.
        height, width: The size of a tile.
        gap: The pixels between two tiles.
    """

    pixels: np.ndarray
    height: int
    width: int
    gap: int

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Top and left of a tile."""
        return row * (self.height + self.gap), column * (self.width + self.gap)

    def middle(self, row: int, column: int) -> tuple[float, float]:
        top, left = self.corner(row, column)
        return top + self.height / 2 - 0.5, left + self.width / 2 - 0.5


def tiled(rows: Sequence[Sequence[np.ndarray]], size: tuple[int, int], gap: float = GAP) -> Tiles:
    """Lay out images in rows, each enlarged without smoothing, or reduced, to the same size.

    Args:
        rows: Rows of images `(h, w, 3)` in 0 … 1, of any size.
        size: Height and width of the largest, which determine the aspect ratio of the tiles.
        gap: Between tiles, as a share of their longer side.
    """
    zoom = math.ceil(TILE / max(size)) if max(size) < TILE else TILE / max(size)
    height, width = max(1, round(size[0] * zoom)), max(1, round(size[1] * zoom))
    space = max(1, round(gap * max(height, width)))
    num_columns = max(map(len, rows))
    pixels = np.ones((len(rows) * (height + space) - space, num_columns * (width + space) - space, 3), np.float32)
    tiles = Tiles(pixels, height, width, space)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            top, left = tiles.corner(i, j)
            pixels[top : top + height, left : left + width] = resized(image, height, width)
    return tiles


def resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize an image `(h, w, 3)`: enlarge by repeating pixels, reduce by averaging them."""
    if image.shape[0] <= height and image.shape[1] <= width:
        rows = np.arange(height) * image.shape[0] // height
        return image[rows][:, np.arange(width) * image.shape[1] // width]
    from PIL import Image

    small = Image.fromarray((255 * image).round().astype(np.uint8)).resize((width, height), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32) / 255


def colors(pixels: np.ndarray) -> np.ndarray:
    """Images `(N, C, H, W)` of 0 … 255 as `(N, H, W, 3)` of 0 … 1: three channels as RGB, otherwise the first one."""
    pixels = pixels if pixels.shape[1] == 3 else pixels[:, :1].repeat(3, axis=1)
    return np.ascontiguousarray(pixels.transpose(0, 2, 3, 1), dtype=np.float32) / 255


def shortened(name: str, length: int) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"


def fitting(name: str) -> str:
    """A class name shortened to fit below an image; Chinese characters are twice as wide."""
    return shortened(name, NUM_LETTERS // 2 if has_cjk(name) else NUM_LETTERS)
