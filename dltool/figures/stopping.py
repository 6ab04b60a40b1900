"""What the stopping rules of a training compare with their thresholds, over the steps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.figures.drawing import (
    MARKERS_UP_TO,
    entitle,
    label_decades,
    make_figure,
    num_panel_columns,
    scale_progress_axis,
)
from dltool.figures.style import (
    OKABE_ITO,
    PANEL_HEIGHT,
    PANEL_WIDTH,
    TILES_TITLE,
    styled,
)
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOG_FROM = 30.0  # Ratio of the largest to the smallest value from which the axis is logarithmic.


class StopPanel(NamedTuple):
    """A rule.

    Attributes:
        key: The config key of its threshold, such as "stop.gradient_norm".
        threshold: Its value.
        title: What is compared with it.
        quantity: The label of the axis.
        points: Step and value, by step.
    """

    key: str
    threshold: float
    title: str
    quantity: str
    points: Sequence[tuple[int, float]]


def stopping_picture(panels: Sequence[StopPanel], *, title: str = "", note: str = "") -> "Figure":
    """Draw a panel for each rule, its threshold dashed.

    Args:
        panels: At least one.
        title: Above the panels.
        note: Small, below them.
    """
    columns = num_panel_columns(len(panels))
    rows = -(-len(panels) // columns)
    with styled(title, note, *(panel.title for panel in panels)):
        figure = make_figure(max(1.2 + PANEL_WIDTH * columns, 7.2), 1.2 + PANEL_HEIGHT * rows)
        entitle(figure, title, note)
        for place, panel in enumerate(panels, start=1):
            draw_rule(figure.add_subplot(rows, columns, place), panel)
        return figure


def draw_rule(axes: "Axes", panel: StopPanel) -> None:
    """Draw the values of one rule and its threshold."""
    steps, values = zip(*panel.points, strict=True)
    marker = "o" if len(steps) <= MARKERS_UP_TO else None
    axes.plot(steps, values, color=OKABE_ITO[0], marker=marker, markersize=4)
    label = word("threshold {key}={value:g}", key=panel.key, value=panel.threshold)
    axes.axhline(panel.threshold, color=OKABE_ITO[1], linestyle="--", label=label)
    drawn = [value for value in (*values, panel.threshold) if np.isfinite(value)]
    if min(drawn) > 0 and max(drawn) / min(drawn) >= LOG_FROM:
        axes.set_yscale("log")
        label_decades(axes.yaxis)
    scale_progress_axis(axes, "step", max(steps))
    axes.set_ylabel(panel.quantity)
    axes.set_title(panel.title, fontsize=TILES_TITLE)
    axes.legend()
