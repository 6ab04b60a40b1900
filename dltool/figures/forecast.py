"""Forecasts of a series with the rows before them and the true values."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from dltool.figures.drawing import MARKERS_UP_TO, make_figure
from dltool.figures.style import BLUE, DARK_GREY, ORANGE, PANEL_HEIGHT, PANELS_TITLE, REFERENCE, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 4
WIDTH = 10.0  # Inches.


def forecast_panels(
    times: Sequence[Any],
    values: np.ndarray,
    forecasts: np.ndarray,
    starts: Sequence[int],
    columns: Sequence[str],
    *,
    title: str = "",
    unit: str = "",
) -> "Figure":
    """Draw a panel for each of the first columns: history, truth, and one or more forecasts.

    Args:
        times: The time of each row, R of them: datetimes, or numbers.
        values: The true values, `(R, K)`; those before the first forecast are the history.
        forecasts: `(F, H, K)`.
        starts: The first row of each forecast, F of them, increasing; each has H rows.
        columns: The names of the K columns.
        title: Above the panels.
        unit: Below the time axis, such as the name of the column of times.
    """
    shown = columns[:MOST_PANELS]
    with styled(title, unit, *shown):
        figure = make_figure(WIDTH, 1.2 + PANEL_HEIGHT * 0.8 * len(shown))
        few = word("{title} (the first {shown} of {all} columns)", title=title, shown=MOST_PANELS, all=len(columns))
        figure.suptitle(few if len(columns) > MOST_PANELS else title, fontsize=PANELS_TITLE)
        panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        for column, (axes, name) in enumerate(zip(panels, shown, strict=True)):
            draw_series(axes, times, values[:, column], forecasts[:, :, column], starts)
            axes.set_ylabel(name)
        panels[0].legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
        panels[-1].set_xlabel(unit)
        scale_time_axis(panels[-1], times)
        return figure


def draw_series(
    axes: "Axes", times: Sequence[Any], values: np.ndarray, forecasts: np.ndarray, starts: Sequence[int]
) -> None:
    """Draw one column: its history to the first forecast, its true values from there, each forecast."""
    first, length = starts[0], forecasts.shape[1]
    axes.plot(times[:first], values[:first], color=DARK_GREY, label=word("history"))
    axes.plot(times[max(first - 1, 0) :], values[max(first - 1, 0) :], color=BLUE, label=word("truth"))
    marker = "o" if length == 1 or length * len(starts) <= MARKERS_UP_TO else None
    line = "-" if length > 1 else ""
    for start, forecast in zip(starts, forecasts, strict=True):
        label, place = word("forecast") if start == first else None, times[start : start + length]
        axes.plot(place, forecast, color=ORANGE, linestyle=line, marker=marker, markersize=4, label=label)
    axes.axvline(times[first], color=REFERENCE, linewidth=1, linestyle=":", zorder=0)
    axes.ticklabel_format(axis="y", useOffset=False)


def scale_time_axis(axes: "Axes", times: Sequence[Any]) -> None:
    """Short dates on the time axis."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    if isinstance(times[0], datetime):
        locator = AutoDateLocator(minticks=4, maxticks=9)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    else:
        axes.ticklabel_format(axis="x", useOffset=False)
