"""A figure of a classifier's most confident mistakes."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.drawing import make_figure
from dltool.figures.style import CAPTION_SIZE, GREY, IMAGES, NOTE_SIZE, RIGHT, TILES_TITLE, WRONG, styled
from dltool.figures.tiles import colors, fitting, tiled
from dltool.figures.words import characters, word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

INCHES = 1.45  # Size of an image.


def misclassified_images(
    images: np.ndarray,
    predicted: Sequence[str],
    true: Sequence[str],
    title: str = "",
    *,
    probabilities: Sequence[float] | None = None,
) -> "Figure":
    """Draw images in rows, below each the predicted class, its probability, and the true class.

    Args:
        images: `(N, C, H, W)` of 0 … 255, at least one.
        predicted: The name of the predicted class of each.
        true: The names of the true classes.
        title: Above the images.
        probabilities: The probabilities of the predicted classes; None if they are not known.
    """
    num_columns = math.ceil(math.sqrt(len(images)))
    pictures = list(colors(images))
    rows = [pictures[start : start + num_columns] for start in range(0, len(pictures), num_columns)]
    size = (images.shape[2], images.shape[3])
    tiles = tiled(rows, size, gap=0.3)
    with styled(title, *predicted, *true, characters(), style=IMAGES):
        scale = INCHES / max(tiles.height, tiles.width)
        across, down = tiles.pixels.shape[1] * scale, tiles.pixels.shape[0] * scale
        figure = make_figure(max(across + 0.5, 6.0), down + 1.5)
        axes = figure.add_subplot()
        axes.imshow(tiles.pixels, interpolation="nearest")
        axes.set_axis_off()
        for i in range(len(images)):
            top, left = tiles.corner(*divmod(i, num_columns))
            middle, below = left + tiles.width / 2, top + tiles.height
            share = f"  {100 * probabilities[i]:.0f} %" if probabilities is not None else ""
            for text, gap, color in ((fitting(predicted[i]) + share, 0.03, WRONG), (fitting(true[i]), 0.2, RIGHT)):
                place = (middle, below + gap / scale)
                axes.text(*place, text, ha="center", va="top", color=color, fontsize=CAPTION_SIZE)
        figure.suptitle(title, fontsize=TILES_TITLE)
        predicted_line = word("predicted class and its probability" if probabilities is not None else "predicted class")
        legend = word("above: {predicted}; below: true class", predicted=predicted_line)
        figure.supxlabel(legend, fontsize=NOTE_SIZE, color=GREY)
        return figure
