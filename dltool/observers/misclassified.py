"""A picture of a classifier's surest mistakes."""

import math
from collections.abc import Sequence

import numpy as np

from dltool.figures.drawing import STYLE, Target, make_figure, save_figure
from dltool.figures.fonts import fonts_for, has_cjk
from dltool.figures.tiles import colors, shortened, tiled
from dltool.introspection.mistakes import Samples

INCHES = 1.45  # Of an image.
LETTERS = 15  # Of a class's name that fit below it.
PREDICTED, TRUE = "#c23b22", "#2a7f3f"


def draw_misclassified(
    images: np.ndarray,
    mistakes: Samples,
    class_names: Sequence[str],
    path: Target,
    title: str = "",
    *,
    has_probabilities: bool = True,
) -> None:
    """Draw the images in rows, below each what it was taken for, how surely, and what it is.

    Args:
        images: `(N, C, H, W)` of 0 … 255, in the order of the mistakes.
        mistakes: At least one.
        class_names: In the order of the classes.
        path: Of the PNG; its folder is made.
        title: Above the images.
        has_probabilities: Whether the sureness is a probability, which is written.
    """
    import matplotlib

    num_columns = math.ceil(math.sqrt(len(images)))
    pictures = list(colors(images))
    rows = [pictures[start : start + num_columns] for start in range(0, len(pictures), num_columns)]
    size = (images.shape[2], images.shape[3])
    tiles = tiled(rows, size, gap=0.3)
    with fonts_for(title, *class_names), matplotlib.rc_context({**STYLE, "axes.grid": False}):
        scale = INCHES / max(tiles.height, tiles.width)
        across, down = tiles.pixels.shape[1] * scale, tiles.pixels.shape[0] * scale
        figure = make_figure(max(across + 0.5, 6.0), down + 1.5)
        axes = figure.add_subplot()
        axes.imshow(tiles.pixels, interpolation="nearest")
        axes.set_axis_off()
        for i in range(len(images)):
            top, left = tiles.corner(*divmod(i, num_columns))
            middle, below = left + tiles.width / 2, top + tiles.height
            sure = f"  {100 * float(mistakes.sureness[i]):.0f} %" if has_probabilities else ""
            predicted = fitting(class_names[int(mistakes.predicted[i])]) + sure
            true = fitting(class_names[int(mistakes.targets[i])])
            axes.text(middle, below + 0.03 / scale, predicted, ha="center", va="top", color=PREDICTED, fontsize=9)
            axes.text(middle, below + 0.2 / scale, true, ha="center", va="top", color=TRUE, fontsize=9)
        figure.suptitle(title, fontsize=13)
        legend = "red: what it was taken for" + (", and with which probability" if has_probabilities else "")
        figure.supxlabel(f"{legend}; green: what it is", fontsize=10, color="#808080")
        save_figure(figure, path)


def fitting(name: str) -> str:
    """A class's name as short as it must be; Chinese characters are twice as wide."""
    return shortened(name, LETTERS // 2 if has_cjk(name) else LETTERS)
