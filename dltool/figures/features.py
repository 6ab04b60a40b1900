"""Samples of classes in the plane of the principal components of the inputs and of a network's features."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.figures.drawing import entitle, make_figure
from dltool.figures.style import DARK_GREY, TILES_TITLE, class_style, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NUM_NAMES = 30  # Classes in the legend.


class FeaturesPanel(NamedTuple):
    """The principal components of one set of vectors.

    Attributes:
        layer: The layer that gets these vectors; empty for the model's inputs.
        places: `(N, 2)`.
        shares: The share of the variance along each axis.
        dim: Numbers in a vector.
    """

    layer: str
    places: np.ndarray
    shares: tuple[float, float]
    dim: int


def features_picture(
    panels: Sequence[FeaturesPanel], labels: np.ndarray, class_names: Sequence[str], *, title: str = "", note: str = ""
) -> "Figure":
    """Draw the panels side by side, a colour and a marker for each class.

    Args:
        panels: The inputs, then the features.
        labels: The classes, `(N,)`.
        class_names: In the order of the classes.
        title: Above the panels.
        note: Small, below them.
    """
    with styled(title, note, *class_names):
        figure = make_figure(6.2 * len(panels) + 1.6, 6.4)
        entitle(figure, word("features of {title}", title=title), note)
        every = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, panel in zip(every, panels, strict=True):
            draw_panel(axes, panel, labels, class_names)
        handles, names = every[0].get_legend_handles_labels()
        figure.legend(handles[:NUM_NAMES], names[:NUM_NAMES], loc="outside right center", markerscale=1.5)
        return figure


def draw_panel(axes: "Axes", panel: FeaturesPanel, labels: np.ndarray, class_names: Sequence[str]) -> None:
    """Draw a scatter plot by class."""
    for label, name in enumerate(class_names):
        color, marker = class_style(label)
        x, y = panel.places[labels == label].T
        axes.scatter(x, y, s=24, color=color, marker=marker, edgecolors=DARK_GREY, linewidths=0.3, label=name)
    inputs, features = "inputs: {dim:,} numbers", "input of {layer}, the last layer: {dim:,} numbers"
    title = word(features, layer=panel.layer, dim=panel.dim) if panel.layer else word(inputs, dim=panel.dim)
    axes.set_title(title, fontsize=TILES_TITLE)
    axes.set_xlabel(word("first principal direction ({share:.1f} % of the variance)", share=100 * panel.shares[0]))
    axes.set_ylabel(word("second principal direction ({share:.1f} %)", share=100 * panel.shares[1]))
