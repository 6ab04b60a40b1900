"""Theoretical and effective receptive fields of a network's units."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.figures.drawing import make_figure, num_panel_columns
from dltool.figures.style import AXES_TITLE, GAMMA, GREY, IMAGES, NOTE_SIZE, ORANGE, PANELS_TITLE, RELEVANCE, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class FieldPanel(NamedTuple):
    """One layer's field over the image's pixels.

    Attributes:
        layer: Its name.
        sizes: The size of the field, as text.
        weight: The effect of each pixel, `(H, W)` in 0 … 1.
        rows, columns: First and last pixel of the theoretical field, clipped to the image.
    """

    layer: str
    sizes: str
    weight: np.ndarray
    rows: tuple[float, float]
    columns: tuple[float, float]


def receptive_field_panels(panels: Sequence[FieldPanel], title: str = "") -> "Figure":
    """Draw the effective receptive field of some layers, with a square around the theoretical one.

    Args:
        panels: At least one.
        title: Above them.
    """
    num_columns = num_panel_columns(len(panels))
    num_rows = math.ceil(len(panels) / num_columns)
    with styled(title, *(panel.layer for panel in panels), style=IMAGES):
        figure = make_figure(0.6 + 3.7 * num_columns, 1.3 + 4.0 * num_rows)
        figure.suptitle(title, fontsize=PANELS_TITLE)
        legend = word(
            "effect of each pixel on the unit in the middle of a layer; square: its theoretical receptive field"
        )
        figure.supxlabel(legend, fontsize=NOTE_SIZE, color=GREY)
        for place, panel in enumerate(panels, start=1):
            draw_field(figure.add_subplot(num_rows, num_columns, place), panel)
        return figure


def draw_field(axes: "Axes", panel: FieldPanel) -> None:
    from matplotlib.colors import PowerNorm
    from matplotlib.patches import Rectangle

    axes.imshow(panel.weight, cmap=RELEVANCE, norm=PowerNorm(GAMMA, 0, 1), interpolation="nearest")
    top, bottom, left, right = *panel.rows, *panel.columns
    # A pixel is drawn around its number.
    square = Rectangle(
        (left - 0.5, top - 0.5), right - left + 1, bottom - top + 1, fill=False, color=ORANGE, linewidth=2
    )
    square.set_clip_on(False)
    axes.add_patch(square)
    axes.set_title(f"{panel.layer}\n{panel.sizes}", fontsize=AXES_TITLE)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
