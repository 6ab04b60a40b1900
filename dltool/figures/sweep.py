"""What a sweep over one key shows: metrics, bias and variance, gradient noise against its values."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.figures.drawing import entitle, label_decades, make_figure, num_panel_columns
from dltool.figures.style import GREY, OKABE_ITO, TILES_TITLE, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS, DASHES = "osD^v", ("-", "--", "-.", ":")
FEW = 8  # Values that are all written below the axis.
LETTERS = 40  # Of the names below a panel, until they are turned.
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
    with styled(title, note, key, *map(str, values), *(one.label for panel in panels for one in panel.series)):
        columns = num_panel_columns(len(panels))
        rows = math.ceil(len(panels) / columns)
        figure = make_figure(1 + 5.2 * columns, 0.6 + 4.2 * rows)
        entitle(figure, title, note)
        for place, panel in enumerate(panels):
            axes = figure.add_subplot(rows, columns, place + 1)
            draw_panel(axes, scale_key_axis(axes, values), panel)
            axes.set_xlabel(key)
        return figure


def scale_key_axis(axes: "Axes", values: Sequence[object]) -> Sequence[float]:
    """Set the x-axis for the values of the swept key; returns their places.

    Numbers are on a linear or a logarithmic axis; names, and numbers over decades with a 0 among them, at equal
    distances.
    """
    from matplotlib.ticker import NullLocator

    names = [str(value) for value in values]
    places = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    positive = [value for value in places if value > 0]
    is_wide = bool(positive) and max(positive) / min(positive) >= LOG_FROM
    if len(places) < len(values) or (is_wide and min(places) <= 0):
        places = list(range(len(values)))
    elif is_wide:
        axes.set_xscale("log")
        label_decades(axes.xaxis)
    if len(values) <= FEW or isinstance(values[0], str):
        crowded = sum(map(len, names)) > LETTERS
        axes.set_xticks(places, names, rotation=30 if crowded else 0, ha="right" if crowded else "center")
        axes.xaxis.set_minor_locator(NullLocator())
    return places


def draw_panel(axes: "Axes", places: Sequence[float], panel: SweepPanel) -> None:
    """Draw the quantities of one axis."""
    means = [draw_series(axes, places, one, number) for number, one in enumerate(panel.series)]
    drawn = [mean for one in means for mean in one]
    if not drawn:
        axes.text(0.5, 0.5, word("no finite value"), transform=axes.transAxes, ha="center", color=GREY)
        return
    if min(drawn) > 0 and max(drawn) / min(drawn) >= LOG_FROM:
        axes.set_yscale("log")
        label_decades(axes.yaxis)
    axes.set_ylabel(panel.quantity)
    axes.set_title(panel.title, fontsize=TILES_TITLE)
    if [one.label for one in panel.series] != [panel.quantity]:
        axes.legend()


def draw_series(axes: "Axes", places: Sequence[float], series: SweepSeries, number: int) -> list[float]:
    """Draw one quantity in the style of its number; returns the means."""
    finite = [np.array([value for value in values if np.isfinite(value)]) for values in series.values]
    found = [(x, values) for x, values in zip(places, finite, strict=True) if len(values)]
    means = [float(values.mean()) for _, values in found]
    if found:
        axes.errorbar(
            [x for x, _ in found],
            means,
            [float(values.std(ddof=1)) if len(values) > 1 else 0.0 for _, values in found],
            color=OKABE_ITO[number % len(OKABE_ITO)],
            linestyle=DASHES[number % len(DASHES)],
            marker=MARKERS[number % len(MARKERS)],
            capsize=3,
            label=series.label,
        )
    return means
