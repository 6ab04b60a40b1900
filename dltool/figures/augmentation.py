"""Training images before and after augmentation."""

import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.drawing import make_figure
from dltool.figures.style import AXES_TITLE, PAIRS_GAP, PLAIN, WEIGHTS, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

WRAP = 90  # Characters of the title's lines.


def augmented_images(before: np.ndarray, after: np.ndarray, description: str) -> "Figure":
    """Draw two square grids side by side, with each image at the same place in both.

    Args:
        before: `(B, C, H, W)` of 0 … 255; three channels are drawn as RGB, otherwise the first one as grey.
        after: The same.
        description: The augmentation, as the title.
    """
    with styled(style=PLAIN):
        figure = make_figure(10, 5.6)
        figure.suptitle(textwrap.fill(description, WRAP), fontsize=AXES_TITLE)
        for place, (title, images) in enumerate(((word("original"), before), (word("model input"), after)), start=1):
            axes = figure.add_subplot(1, 2, place)
            axes.imshow(square_grid(images), cmap=WEIGHTS, vmin=0, vmax=255, interpolation="nearest")
            axes.set_title(title, fontsize=AXES_TITLE)
            axes.set_axis_off()
        return figure


def square_grid(images: np.ndarray) -> np.ndarray:
    """Images `(B, C, H, W)` in a square grid on grey, uint8 `(height, width)` or `(height, width, 3)`."""
    pixels = images.round().clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)  # (B, H, W, C)
    pixels = pixels if pixels.shape[3] == 3 else pixels[..., :1]
    count, height, width, channels = pixels.shape
    side, gap = math.ceil(math.sqrt(count)), max(1, height // 16)
    grid = np.full((side * (height + gap) + gap, side * (width + gap) + gap, channels), PAIRS_GAP, dtype=np.uint8)
    for i, image in enumerate(pixels):
        top, left = gap + i // side * (height + gap), gap + i % side * (width + gap)
        grid[top : top + height, left : left + width] = image
    return grid.squeeze(2) if channels == 1 else grid
