"""Images and an autoencoder's reconstructions of them."""

from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.image_table import draw_rows
from dltool.figures.style import IMAGES, styled
from dltool.figures.tiles import colors, tiled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

COLUMNS = 12
INCHES = 0.85  # Size of an image.


def reconstructed_images(originals: np.ndarray, reconstructions: np.ndarray, title: str = "") -> "Figure":
    """Draw rows of images, below each its reconstruction.

    Args:
        originals: `(N, C, H, W)` of 0 … 255, at least one.
        reconstructions: The same.
        title: Above them.
    """
    pairs = [list(colors(images)) for images in (originals, reconstructions)]
    rows = [part[start : start + COLUMNS] for start in range(0, len(originals), COLUMNS) for part in pairs]
    tiles = tiled(rows, (originals.shape[2], originals.shape[3]), gap=0.1)
    with styled(title, style=IMAGES):
        labels = [word("original"), word("reconstruction")] * (len(rows) // 2)
        return draw_rows(tiles, labels, title, inches=INCHES, margins=(1.6, 0.7))[0]
