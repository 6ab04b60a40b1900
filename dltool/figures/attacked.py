"""Clean and attacked images, the perturbations, and a classifier's predictions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.figures.drawing import make_figure
from dltool.figures.style import (
    AXES_TITLE,
    CAPTION_SIZE,
    GREY,
    IMAGES,
    NOTE_SIZE,
    RIGHT,
    TILES_TITLE,
    WRONG,
    styled,
)
from dltool.figures.tiles import colors, fitting, tiled
from dltool.figures.words import characters, word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dltool.figures.tiles import Tiles

INCHES = 1.3  # Size of an image.
CROSS = "✗"  # Of a wrong prediction.
LEAST = 1 / 255  # The smallest perturbation that is amplified to black and white.


class Predicted(NamedTuple):
    """A classifier's predictions for some images.

    Attributes:
        classes: The name of the predicted class of each image.
        probabilities: The probabilities of those classes; None if they are not known.
    """

    classes: Sequence[str]
    probabilities: Sequence[float] | None = None

    def captions(self) -> list[str]:
        names = [fitting(name) for name in self.classes]
        if self.probabilities is None:
            return names
        return [f"{name}  {100 * share:.0f} %" for name, share in zip(names, self.probabilities, strict=True)]


def attacked_images(
    clean: np.ndarray,
    attacked: np.ndarray,
    predictions: tuple[Predicted, Predicted],
    true: Sequence[str],
    title: str = "",
) -> "Figure":
    """Draw images in three rows: clean, perturbation, attacked.

    The perturbation is grey where it is 0, brighter or darker where it brightens or darkens the image, and amplified
    so that its largest value is black or white.

    Args:
        clean: `(N, C, H, W)` in 0 … 1, at least one.
        attacked: The same images under attack.
        predictions: The classifier's predictions for the clean and for the attacked images.
        true: Names of the true classes.
        title: Above the images.
    """
    change = attacked - clean
    factor = 0.5 / max(float(np.abs(change).max()), LEAST)
    rows = (255 * clean, 255 * (0.5 + factor * change), 255 * attacked)
    tiles = tiled([list(colors(images)) for images in rows], clean.shape[2:], gap=0.22)
    with styled(title, *true, *predictions[0].classes, *predictions[1].classes, characters(), style=IMAGES):
        scale = INCHES / max(tiles.height, tiles.width)
        across, down = tiles.pixels.shape[1] * scale, tiles.pixels.shape[0] * scale
        figure = make_figure(max(across + 1.3, 6.0), down + 1.5)
        axes = figure.add_subplot()
        axes.imshow(tiles.pixels, interpolation="nearest")
        axes.set_axis_off()
        change_of = word("change\n× {factor:.3g}", factor=factor)
        for row, name in enumerate((word("clean"), change_of, word("attacked"))):
            middle = tiles.middle(row, 0)[0]
            axes.text(-0.1 / scale, middle, name, ha="right", va="center", fontsize=AXES_TITLE)
        write_captions(axes, tiles, 0, predictions[0], true, 0.03 / scale)
        write_captions(axes, tiles, 2, predictions[1], true, 0.03 / scale)
        figure.suptitle(title, fontsize=TILES_TITLE)
        has_shares = predictions[0].probabilities is not None
        predicted = word("predicted class and its probability" if has_shares else "predicted class")
        legend = word("{predicted}; blue: correct, orange with {mark}: wrong", predicted=predicted, mark=CROSS)
        figure.supxlabel(legend, fontsize=NOTE_SIZE, color=GREY)
        return figure


def write_captions(
    axes: "Axes", tiles: "Tiles", row: int, predicted: Predicted, true: Sequence[str], gap: float
) -> None:
    """Write the predicted class below each image of a row."""
    for column, (text, name) in enumerate(zip(predicted.captions(), predicted.classes, strict=True)):
        top, left = tiles.corner(row, column)
        middle, below = left + tiles.width / 2, top + tiles.height + gap
        is_right = name == true[column]
        color, shown = (RIGHT, text) if is_right else (WRONG, f"{text} {CROSS}")  # The colours are alike in grey.
        axes.text(middle, below, shown, ha="center", va="top", color=color, fontsize=CAPTION_SIZE)
