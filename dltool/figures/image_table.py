"""A table of images with names of its rows and columns."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.drawing import make_figure
from dltool.figures.image_grid import to_pixels
from dltool.figures.style import IMAGES, RECONSTRUCTIONS_TITLE, styled
from dltool.figures.tiles import colors, fitting, tiled

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

INCHES = 0.75  # Size of an image.


def image_table(
    images: np.ndarray,
    value_range: tuple[float, float] | None,
    row_names: Sequence[str],
    column_names: Sequence[str],
    title: str = "",
) -> "Figure":
    """Draw images in rows and columns.

    Args:
        images: `(R, K, C, H, W)`; one channel is drawn grey, three as RGB, otherwise the first one.
        value_range: The values of black and white; None for the minimum and the maximum.
        row_names: R names, left of the rows.
        column_names: K names, above the columns.
        title: Above them.
    """
    num_rows, num_columns, _, height, width = images.shape
    flat = colors(to_pixels(images.reshape(-1, *images.shape[2:]), value_range))
    tiles = tiled([list(flat[i * num_columns : (i + 1) * num_columns]) for i in range(num_rows)], (height, width))
    scale = INCHES / max(tiles.height, tiles.width)
    with styled(title, *row_names, *column_names, style=IMAGES):
        figure = make_figure(max(tiles.pixels.shape[1] * scale + 1.2, 4.5), tiles.pixels.shape[0] * scale + 0.9)
        axes = figure.add_subplot()
        axes.imshow(tiles.pixels, interpolation="nearest")
        axes.spines[:].set_visible(False)
        axes.xaxis.tick_top()
        axes.set_xticks([tiles.middle(0, i)[1] for i in range(num_columns)], [fitting(name) for name in column_names])
        axes.set_yticks([tiles.middle(i, 0)[0] for i in range(num_rows)], [fitting(name) for name in row_names])
        axes.tick_params(length=0)
        figure.suptitle(title, fontsize=RECONSTRUCTIONS_TITLE)
        return figure
