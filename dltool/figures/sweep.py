"""What a sweep over one key shows: metrics, bias and variance, gradient noise against its values."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.figures.drawing import label_decades, make_figure
from dltool.figures.style import CAPTION_SIZE, GREY, OKABE_ITO, PANELS_TITLE, TILES_TITLE, styled

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS, DASHES = "osD^v", ("-", "--", "-.", ":")
LOG_FROM = 30.0  # Ratio of the largest to the smallest value from which the axis is logarithmic.


class SweepSeries(NamedTuple):
    """One quantity.

    Attributes:
        label: Its name.
        values: For each value of the key those of its repetitions; none if it was not measured.
    """

    label: str
    values: Sequence[Sequence[float]]


class SweepPanel(NamedTuple):
    """Quantities on one axis.

    Attributes:
        title: Above the panel.
        quantity: The label of the axis, with its unit.
        series: At least one.
    """

    title: str
    quantity: str
    series: Sequence[SweepSeries]


def sweep_picture(
    key: str, values: Sequence[object], panels: Sequence[SweepPanel], *, title: str = "", note: str = ""
) -> "Figure":
    """Draw each quantity as mean ± standard deviation over the repetitions.

    Args:
        key: The swept key.
        values: Its values, in order; numbers are places on the axis, anything else is a name.
        panels: At least one.
        title: Above the panels.
        note: Small, below them.
    """
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    numeric = len(numbers) == len(values)
    names = [str(value) for value in values]
    with styled(title, note, key, *names, *(one.label for panel in panels for one in panel.series)):
        figure = make_figure(1 + 5.2 * len(panels), 4.8)
        figure.suptitle(title, fontsize=PANELS_TITLE)
        figure.supxlabel(note, fontsize=CAPTION_SIZE, color=GREY)
        for place, panel in enumerate(panels):
            axes = figure.add_subplot(1, len(panels), place + 1)
            draw_panel(axes, numbers if numeric else range(len(values)), panel)
            if not numeric:
                axes.set_xticks(range(len(values)), names)
            elif numbers[0] > 0 and numbers[-1] / numbers[0] >= LOG_FROM:
                axes.set_xscale("log")
                label_decades(axes.xaxis)
            axes.set_xlabel(key)
        return figure


def draw_panel(axes: "Axes", places: Sequence[float], panel: SweepPanel) -> None:
    """Draw the quantities of one axis."""
    drawn: list[float] = []
    for place, one in enumerate(panel.series):
        found = [(x, np.array(values)) for x, values in zip(places, one.values, strict=True) if len(values)]
        means = [float(values.mean()) for _, values in found]
        spreads = [float(values.std(ddof=1)) if len(values) > 1 else 0.0 for _, values in found]
        axes.errorbar(
            [x for x, _ in found],
            means,
            spreads,
            color=OKABE_ITO[place % len(OKABE_ITO)],
            linestyle=DASHES[place % len(DASHES)],
            marker=MARKERS[place % len(MARKERS)],
            capsize=3,
            label=one.label,
        )
        drawn += means
    if drawn and min(drawn) > 0 and max(drawn) / min(drawn) >= LOG_FROM:
        axes.set_yscale("log")
        label_decades(axes.yaxis)
    axes.set_ylabel(panel.quantity)
    axes.set_title(panel.title, fontsize=TILES_TITLE)
    axes.legend()
