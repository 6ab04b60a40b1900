"""Images and an autoencoder's reconstructions of them."""

from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.drawing import make_figure
from dltool.figures.style import IMAGES, RECONSTRUCTIONS_TITLE, styled
from dltool.figures.tiles import colors, tiled

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
    scale = INCHES / max(tiles.height, tiles.width)
    with styled(title, style=IMAGES):
        figure = make_figure(max(tiles.pixels.shape[1] * scale + 1.6, 4.5), tiles.pixels.shape[0] * scale + 0.7)
        axes = figure.add_subplot()
        axes.imshow(tiles.pixels, interpolation="nearest")
        axes.spines[:].set_visible(False)
        axes.set_xticks([])
        labels = ["original", "reconstruction"] * (len(rows) // 2)
        axes.set_yticks([tiles.middle(i, 0)[0] for i in range(len(rows))], labels)
        axes.tick_params(length=0)
        figure.suptitle(title, fontsize=RECONSTRUCTIONS_TITLE)
        return figure
