"""Histograms of the weights of one or several runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.figures.drawing import label_decades, legend_columns, make_figure, num_panel_columns
from dltool.figures.style import (
    CAPTION_SIZE,
    GREY,
    NOTE_SIZE,
    OKABE_ITO,
    PANEL_HEIGHT,
    PANEL_WIDTH,
    PANELS_TITLE,
    TILES_TITLE,
    styled,
)
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHES = ("-", "--", "-.", ":")


class WeightHistogram(NamedTuple):
    """The weights of one run.

    Attributes:
        label: The run among others, or "".
        counts: The number of weights in each bin.
        small: Share of the weights with |w| below the bound, in [0, 1].
    """

    label: str
    counts: np.ndarray
    small: float


class WeightPanel(NamedTuple):
    """The same weights of each run.

    Attributes:
        title: Above the panel, such as a layer's name.
        edges: Of the bins, `(bins + 1,)`.
        histograms: One for each run.
    """

    title: str
    edges: np.ndarray
    histograms: Sequence[WeightHistogram]


def weights_picture(panels: Sequence[WeightPanel], bound: float, *, title: str = "", note: str = "") -> "Figure":
    """Draw a panel for all weights, or for each layer, with an outline for each run.

    Args:
        panels: At least one.
        bound: Weights smaller than it are counted as small.
        title: Above the panels.
        note: Small, below them.
    """
    columns = num_panel_columns(len(panels))
    rows = -(-len(panels) // columns)
    labels = [one.label for one in panels[0].histograms]
    with styled(title, note, *labels, *(panel.title for panel in panels)):
        width = max(1.2 + (PANEL_WIDTH + 0.4) * columns, 8)
        entries = legend_columns(labels, width)
        figure = make_figure(width, 1.2 + (PANEL_HEIGHT + 0.3) * rows + 0.26 * -(-len(labels) // entries))
        figure.suptitle(title, fontsize=PANELS_TITLE)
        for place, panel in enumerate(panels, start=1):
            draw_histograms(figure.add_subplot(rows, columns, place), panel, bound)
        if any(labels):
            outlines, _ = figure.axes[0].get_legend_handles_labels()
            below = {"title": note, "title_fontproperties": {"size": NOTE_SIZE}, "alignment": "left"}
            figure.legend(outlines, labels, loc="outside lower left", ncols=entries, **below)
        else:
            figure.supxlabel(note, fontsize=CAPTION_SIZE, color=GREY)
        return figure


def draw_histograms(axes: "Axes", panel: WeightPanel, bound: float) -> None:
    """Draw the histograms of one panel; the counts span decades, so that their axis is logarithmic."""
    for place, one in enumerate(panel.histograms):
        axes.stairs(
            one.counts,
            panel.edges,
            color=OKABE_ITO[place % len(OKABE_ITO)],
            linestyle=DASHES[place % len(DASHES)],
            linewidth=1.6,
            label=f"{one.small:.1%}",
        )
    axes.set_yscale("log")
    highest = max(one.counts.max() for one in panel.histograms)
    axes.set_ylim(0.7, 2 * max(highest, 1))
    label_decades(axes.yaxis)
    axes.set_xlabel(word("weight w"))
    axes.set_ylabel(word("weights per bin"))
    axes.set_title(panel.title, fontsize=TILES_TITLE)
    title = word("share with |w| < {bound:g}", bound=bound)
    axes.legend(title=title, title_fontsize=CAPTION_SIZE, fontsize=CAPTION_SIZE, loc="upper left", alignment="left")
