"""The style of all figures: colours, text sizes, inches, and matplotlib's settings."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dltool.figures.fonts import fonts_for
from dltool.figures.words import characters

# Colours of curves and points.
BLUE, ORANGE, GREEN, RED, PURPLE = "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd"
PALE_BLUE = "#a6c8e4"
SPLIT_COLORS = {"step": PALE_BLUE, "train": BLUE, "val": ORANGE, "test": GREEN}
SPLIT_DASHES = {"train": "-o", "val": "--s"}  # They differ in grey too.
# Okabe and Ito's colours, distinct under every kind of colour blindness; used with markers and dashes.
OKABE_ITO = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#f0e442")
MARKERS = "os^DvPX*<>"  # Of classes and curves, next to their colours; ten, as many as digits.
DASHES = ("-", "--", "-.", ":")
# Greys of lines and notes, from pale to dark.
GRID, PALE_GREY, SILVER, REFERENCE, GREY, DARK_GREY = "#e4e4e4", "#c8c8c8", "#b0b0b0", "#a6a6a6", "#808080", "#606060"
RIGHT, WRONG = "#0072b2", "#d55e00"  # Colours of a classifier's predictions: blue and vermilion, not green and red.
ON_PALE, ON_DARK = "black", "white"  # Text on a cell.
# Brightness of the gaps between the images of a grid, 0 … 255.
GRID_GAP, PAIRS_GAP = 96, 128

# Colormaps: for shares, one layer's maps, relevance, weights, many curves.
SHARES, MAPS, RELEVANCE, WEIGHTS = "Blues", "viridis", "magma", "gray"
MANY_CURVES = "turbo"
GAMMA = 0.5  # For shares and relevance: makes small values visible.

# Points.
CURVES_TITLE, PANELS_TITLE, TILES_TITLE, RECONSTRUCTIONS_TITLE, AXES_TITLE = 16, 14, 13, 12, 11
NOTE_SIZE, CAPTION_SIZE, NUMBER_SIZE = 10, 9, 7

# Inches.
PANEL_WIDTH, PANEL_HEIGHT = 4.8, 3.5
LETTER_WIDTH = 0.085
DPI = 120

STYLE: dict[Any, Any] = {
    "font.size": 11,
    "text.parse_math": False,  # A dollar sign in a name is a dollar sign.
    "figure.constrained_layout.h_pad": 0.12,
    "figure.constrained_layout.w_pad": 0.12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "axes.edgecolor": GREY,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "legend.borderaxespad": 0.1,
    "legend.borderpad": 0.2,
    "legend.columnspacing": 0.9,
    "legend.handlelength": 1.1,
    "legend.handletextpad": 0.4,
    "lines.linewidth": 1.8,
}
IMAGES = STYLE | {"axes.grid": False}  # For panels that show images.
BOXED: dict[Any, Any] = {"font.size": 11}  # For a scatter plot in a frame.
PLAIN: dict[Any, Any] = {}


def class_style(label: int) -> tuple[str, str]:
    """The colour and marker of a class: each pair is different for 80 classes, each marker for ten, so in grey too."""
    turn = label // math.lcm(len(OKABE_ITO), len(MARKERS))
    return OKABE_ITO[label % len(OKABE_ITO)], MARKERS[(label + turn) % len(MARKERS)]


@contextmanager
def styled(*texts: str, style: dict[Any, Any] = STYLE) -> Iterator[None]:
    """The style for building a figure in this context; matplotlib's global settings are restored afterwards.

    Args:
        texts: All texts of the figure that come from the user: titles, paths, class names. They determine the fonts.
        style: STYLE, IMAGES, BOXED or PLAIN.
    """
    import matplotlib

    with fonts_for(*texts, characters()), matplotlib.rc_context(style):
        yield
