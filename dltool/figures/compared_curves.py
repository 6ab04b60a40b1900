"""The curves of several runs over each other: a panel per metric, a line per run or group of seeds."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dltool.figures.drawing import (
    MARKERS_UP_TO,
    legend_columns,
    make_figure,
    num_panel_columns,
    scale_metric_axis,
    scale_progress_axis,
)
from dltool.figures.style import (
    CURVES_TITLE,
    DASHES,
    MANY_CURVES,
    MARKERS,
    NOTE_SIZE,
    OKABE_ITO,
    PANEL_HEIGHT,
    PANEL_WIDTH,
    styled,
)
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_LEGEND = 24


class Curve(NamedTuple):
    """A metric over steps or epochs, of one run or of several that differ only in the seed.

    Attributes:
        points: (x, mean, standard deviation with n - 1), by x; the deviation is 0 for a single run.
    """

    label: str
    points: list[tuple[float, float, float]]


def compared_curves(panels: Mapping[str, Sequence[Curve]], *, title: str, unit: str, note: str = "") -> "Figure":
    """Draw the curves of several runs over each other.

    Args:
        panels: A metric such as "val/loss" to its curves, of the same runs in each panel; at least one panel and curve.
        title: Above the panels.
        unit: The unit of the x-axis, "step" or "epoch".
        note: Above the legend.
    """
    names = [curve.label for curve in next(iter(panels.values()))]
    num_columns = num_panel_columns(len(panels))
    num_rows = math.ceil(len(panels) / num_columns)
    width = max(1.2 + PANEL_WIDTH * num_columns, 7.2)
    with styled(title, *names, *panels):
        legend_rows = math.ceil(min(len(names), MAX_LEGEND) / legend_columns(names, width))
        figure = make_figure(width, 0.9 + PANEL_HEIGHT * num_rows + 0.22 * legend_rows)
        figure.suptitle(title, fontsize=CURVES_TITLE)
        for place, (metric, curves) in enumerate(panels.items(), start=1):
            axes = figure.add_subplot(num_rows, num_columns, place)
            for turn, (curve, color) in enumerate(zip(curves, colors(len(curves)), strict=True)):
                draw_curve(axes, curve, color, DASHES[turn % len(DASHES)], MARKERS[turn % len(MARKERS)])
            scale_metric_axis(axes, metric, (mean for curve in curves for _, mean, _ in curve.points))
            scale_progress_axis(axes, unit, max((x for curve in curves for x, _, _ in curve.points), default=1.0))
        some = (
            word("the first {shown} of {all} curves", shown=MAX_LEGEND, all=len(names))
            if len(names) > MAX_LEGEND
            else ""
        )
        figure.legend(
            figure.axes[0].get_lines()[:MAX_LEGEND],
            names[:MAX_LEGEND],
            loc="outside lower left",
            ncols=legend_columns(names, width),
            title=", ".join(filter(None, (note, some))) or None,
            alignment="left",
            title_fontproperties={"size": NOTE_SIZE},
        )
        return figure


def draw_curve(axes: "Axes", curve: Curve, color: Any, dash: str, marker: str) -> None:
    xs, means, spreads = zip(*curve.points, strict=True) if curve.points else ((), (), ())
    few = len(xs) <= MARKERS_UP_TO
    axes.plot(xs, means, dash, color=color, label=curve.label, marker=marker if few else None, markersize=4)
    if any(spreads):
        low = [mean - spread for mean, spread in zip(means, spreads, strict=True)]
        high = [mean + spread for mean, spread in zip(means, spreads, strict=True)]
        axes.fill_between(xs, low, high, color=color, alpha=0.2, linewidth=0)


def colors(count: int) -> list[Any]:
    """A colour for each curve: distinct ones for few curves, else spread over the hues."""
    import matplotlib

    if count <= len(OKABE_ITO):
        return [*OKABE_ITO[:count]]
    return [matplotlib.colormaps[MANY_CURVES](place / (count - 1)) for place in range(count)]
