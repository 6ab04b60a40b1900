"""One number predicted from another: the training points, the curves of several models, and their residuals."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.figures.drawing import entitle, make_figure
from dltool.figures.style import DARK_GREY, OKABE_ITO, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHES = ("-", "--", "-.", ":")
MARKERS = "ox^svDP*"  # Of the curves, in the legend and at a few nodes.
NUM_MARKED = 9
MANY_POINTS = 150  # From here on, points are small and residuals pale.


class FittedCurve(NamedTuple):
    """One model's predictions.

    Attributes:
        label: The run.
        nodes: Inputs, ascending, `(G,)`.
        values: The predictions at the nodes, `(G,)`.
        residuals: Target minus prediction at each training point, `(N,)`.
    """

    label: str
    nodes: np.ndarray
    values: np.ndarray
    residuals: np.ndarray


def fit_picture(
    inputs: np.ndarray,
    targets: np.ndarray,
    curves: Sequence[FittedCurve],
    *,
    input_name: str,
    title: str = "",
    note: str = "",
) -> "Figure":
    """Draw the points, each model's curve, and a thin line from each point to each curve.

    Args:
        inputs: Of the training points, in the data's units, `(N,)`.
        targets: The same, `(N,)`.
        curves: One for each model.
        input_name: The name of the input.
        title: Above the axes.
        note: Small, below them.
    """
    with styled(title, note, input_name, *(curve.label for curve in curves)):
        figure = make_figure(9, 5.6)
        entitle(figure, title, note)
        axes = figure.subplots()
        many = len(inputs) > MANY_POINTS
        for place, curve in enumerate(curves):
            draw_residuals(axes, inputs, targets, curve, OKABE_ITO[place % len(OKABE_ITO)], 0.15 if many else 0.45)
        size = 6 if many else 16
        label = word("training points ({count:,})", count=len(inputs))
        axes.scatter(inputs, targets, s=size, color=DARK_GREY, alpha=0.6, linewidths=0, label=label, zorder=3)
        for place, curve in enumerate(curves):
            draw_curve(axes, curve, place)
        axes.set_xlabel(word("input {name}", name=input_name))
        axes.set_ylabel(word("target and prediction"))
        axes.legend()
        return figure


def draw_residuals(
    axes: "Axes", inputs: np.ndarray, targets: np.ndarray, curve: FittedCurve, color: str, alpha: float
) -> None:
    """Draw a vertical line from each target to the prediction."""
    axes.vlines(inputs, targets - curve.residuals, targets, colors=color, alpha=alpha, linewidth=0.7, zorder=1)


def draw_curve(axes: "Axes", curve: FittedCurve, place: int) -> None:
    """Draw one model's curve, with the means of its residuals in the legend."""
    residuals = curve.residuals
    label = word(
        "{label}: RMSE {rmse:.3g}, MAE {mae:.3g}",
        label=curve.label,
        rmse=np.sqrt(np.mean(residuals**2)),
        mae=np.mean(np.abs(residuals)),
    )
    every = max(len(curve.nodes) // NUM_MARKED, 1)
    axes.plot(
        curve.nodes,
        curve.values,
        DASHES[place % len(DASHES)],
        color=OKABE_ITO[place % len(OKABE_ITO)],
        marker=MARKERS[place % len(MARKERS)],
        markevery=(every // 2, every),
        markersize=5,
        linewidth=2,
        label=label,
        zorder=4,
    )
