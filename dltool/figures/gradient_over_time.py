"""The vanishing gradient: its norm at each position of a sequence, by the distance from the end."""

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.figures.drawing import MARKERS_UP_TO, label_decades, make_figure
from dltool.figures.style import DASHES, MARKERS, OKABE_ITO, PANELS_TITLE, REFERENCE, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure


class Band(NamedTuple):
    """Norms of gradients by the distance from the end of the sequence, relative to the median at the end.

    Attributes:
        low, middle, high: The quartiles over the sequences, `(T,)`; NaN where there is no gradient.
    """

    low: np.ndarray
    middle: np.ndarray
    high: np.ndarray


def gradient_by_distance(bands: Mapping[str, Band], title: str = "", reference: str | None = None) -> "Figure":
    """Draw the median over the sequences by the distance from their end, with the interquartile range.

    Args:
        bands: Name of the curve to its band.
        title: Above the axes.
        reference: Name of the band that the others are compared with, which is grey.
    """
    from matplotlib.ticker import MaxNLocator

    colors = itertools.cycle(OKABE_ITO)
    dashes, markers = itertools.cycle(DASHES), itertools.cycle(MARKERS)
    with styled(title, *bands):
        figure = make_figure(7.2, 4.6)
        axes = figure.add_subplot()
        for name, (low, middle, high) in bands.items():
            color = REFERENCE if name == reference else next(colors)
            steps = range(len(middle))
            marker = next(markers) if len(middle) <= MARKERS_UP_TO else None
            axes.plot(steps, middle, next(dashes), color=color, label=name, marker=marker, markersize=4)
            axes.fill_between(steps, low, high, color=color, alpha=0.15, linewidth=0)
        if axes.lines:
            axes.set_yscale("log")
            label_decades(axes.yaxis)
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
        else:
            axes.text(0.5, 0.5, word("the gradient is zero at all positions"), transform=axes.transAxes, ha="center")
        axes.invert_xaxis()
        axes.set_xlabel(word("steps before the last one"))
        axes.set_ylabel(word("gradient of the loss\nrelative to that at the last step"))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.suptitle(title, fontsize=PANELS_TITLE)
        return figure
