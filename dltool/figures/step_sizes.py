"""The single steps of optimizers on a surface of two parameters: their effective rates, and what they gain."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.figures.drawing import entitle, label_decades, legend_below, make_figure
from dltool.figures.style import CAPTION_SIZE, DASHES, GREY, MARKERS, OKABE_ITO, TILES_TITLE, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LIMITS = (-1.2, 2.2)  # Of the ratio; where the predicted change is about 0 it has any size.
TAYLOR = "∇E·Δθ"


class StepSizes(NamedTuple):
    """The measured steps of one training.

    Attributes:
        label: The optimizer and its rate.
        steps: `(K,)`.
        rates: The factor of the gradient, or of its running mean, for each parameter, `(K, 2)`; NaN if it has none.
        predicted: The change of the loss to first order, ∇E(θ)·Δθ, `(K,)`.
        actual: E(θ + Δθ) - E(θ), `(K,)`.
    """

    label: str
    steps: np.ndarray
    rates: np.ndarray
    predicted: np.ndarray
    actual: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        """Actual over predicted change; NaN where none is predicted."""
        predicted = np.where(self.predicted == 0, np.nan, self.predicted)
        ratio: np.ndarray = self.actual / predicted
        return ratio


def step_sizes_picture(
    names: tuple[str, str], trainings: Sequence[StepSizes], *, title: str = "", note: str = ""
) -> "Figure":
    """Draw the effective rate of each parameter over the steps, and the actual over the predicted change of the loss.

    Args:
        names: Of the two parameters.
        trainings: One for each path.
        title: Above the panels.
        note: Small, below them.
    """
    formula = word("rate of a parameter: the factor of its gradient, or of the running mean of it, in the step")
    with styled(title, note, *(one.label for one in trainings)):
        figure = make_figure(12, 5.6)
        entitle(figure, title, formula, note)
        rates, ratio = figure.subplots(1, 2)
        for place, one in enumerate(trainings):
            color, marker = OKABE_ITO[place % len(OKABE_ITO)], MARKERS[place % len(MARKERS)]
            for number, name in enumerate(names):
                rates.plot(
                    *(one.steps, one.rates[:, number], DASHES[number]),
                    color=color,
                    marker=marker,
                    markersize=4,
                    markerfacecolor="white" if number else color,
                    label=f"{one.label}: {name}" if np.isfinite(one.rates).any() else None,
                )
            # Without lines: near the minimum both changes are noise.
            ratio.plot(one.steps, one.ratio, marker, color=color, markersize=5, alpha=0.8, label=one.label)
        finish(rates, word("effective rate of each parameter"), 2)
        rates.set_yscale("log")
        label_decades(rates.yaxis)
        for height in (0, 1):
            ratio.axhline(height, color=GREY, linewidth=1, zorder=1)
        finish(ratio, word("change of the loss in a step / {change}", change=TAYLOR), 1)
        ratio.set_ylabel(word("1: as the tangent predicts; 0: no change"))
        ratio.set_ylim(*LIMITS)
        return figure


def finish(axes: "Axes", title: str, columns: int) -> None:
    """Scale and label the axis of the steps, and explain the lines below it."""
    from matplotlib.ticker import StrMethodFormatter

    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(left=-0.2)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlabel(word("step"))
    axes.set_title(title, fontsize=TILES_TITLE)
    legend_below(axes, columns, fontsize=CAPTION_SIZE)
