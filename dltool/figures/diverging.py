"""Colours of values on both sides of a middle, distinct in grey too, and marks on negative cells."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.style import ON_DARK, ON_PALE

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

# From low to high. Both ends are far apart for every kind of colour blindness; in grey the low one is much darker.
COLORS = ("#08306b", "#4a90c8", "#ffffff", "#f9b27a", "#d55e00")
LOW, HIGH = COLORS[0], COLORS[-1]
# Paler, for a map below points in LOW and HIGH; its low end is much darker in grey too, its high end nearly white.
PALE_COLORS = ("#3f7fb5", "#9dc3e0", "#ffffff", "#fde3c8", "#fbc79a")
NUM_MARKED = 2000  # Cells; more are too small for marks.
HALF_MARK = 0.2  # Half of a mark's length, in cells.
DARK = 0.6  # Share of the largest size below which a negative cell is pale.


@cache
def diverging() -> "Colormap":
    """The colour map; white is in its middle."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("diverging", COLORS)


@cache
def pale_diverging() -> "Colormap":
    """The colour map of a plane with points on it; white is in its middle."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("pale diverging", PALE_COLORS)


def mark_negative(axes: "Axes", values: np.ndarray, largest: float) -> bool:
    """Draw a minus sign on each negative cell of a map, whose sign a print without colours does not show.

    Args:
        axes: Has the map, drawn by `imshow` with its default extent.
        values: `(rows, columns)`.
        largest: The value at the end of the colours.

    Returns:
        Whether there are marks: not on more than NUM_MARKED cells.
    """
    rows, columns = np.nonzero(values < 0)
    if values.size > NUM_MARKED or not len(rows):
        return False
    dark = values[rows, columns] < -DARK * largest
    height = 72 / axes.figure.dpi * axes.get_window_extent().height / values.shape[0]
    for chosen, color in ((dark, ON_DARK), (~dark, ON_PALE)):
        left, right = columns[chosen] - HALF_MARK, columns[chosen] + HALF_MARK
        axes.hlines(rows[chosen], left, right, color=color, linewidth=min(1.2, 0.22 * height))
    return True
