"""A table of images with names of its rows and columns."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.drawing import make_figure
from dltool.figures.image_grid import to_pixels
from dltool.figures.style import IMAGES, RECONSTRUCTIONS_TITLE, styled
from dltool.figures.tiles import Tiles, colors, fitting, tiled

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCHES = 0.75  # Size of an image.
LEAST_WIDTH = 4.5  # Of a figure, in inches.


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
    with styled(title, *row_names, *column_names, style=IMAGES):
        figure, axes = draw_rows(tiles, [fitting(name) for name in row_names], title, inches=INCHES, margins=(1.2, 0.9))
        axes.xaxis.tick_top()
        axes.set_xticks([tiles.middle(0, i)[1] for i in range(num_columns)], [fitting(name) for name in column_names])
        return figure


def draw_rows(
    tiles: Tiles, row_names: Sequence[str], title: str, *, inches: float, margins: tuple[float, float]
) -> "tuple[Figure, Axes]":
    """Draw tiles in the current style, with the names of their rows and no other ticks.

    Args:
        tiles: The images.
        row_names: One name per row.
        title: Above them.
        inches: The size of an image.
        margins: Width and height around the images, in inches.
    """
    scale = inches / max(tiles.height, tiles.width)
    height, width = (scale * pixels for pixels in tiles.pixels.shape[:2])
    figure = make_figure(max(width + margins[0], LEAST_WIDTH), height + margins[1])
    axes = figure.add_subplot()
    axes.imshow(tiles.pixels, interpolation="nearest")
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([tiles.middle(i, 0)[0] for i in range(len(row_names))], row_names)
    axes.tick_params(length=0)
    figure.suptitle(title, fontsize=RECONSTRUCTIONS_TITLE)
    return figure, axes
