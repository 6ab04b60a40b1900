"""The loss against the learning rate of a range test."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from dltool.figures.drawing import entitle, label_decades, make_figure, metric_name
from dltool.figures.style import OKABE_ITO, PALE_GREY, TILES_TITLE, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure


class RangeCurve(NamedTuple):
    """One loss of a range test.

    Attributes:
        name: Of the loss.
        rates, losses, smoothed: Of each step.
        suggested: The lower and the upper rate of the range; None if the loss never fell.
    """

    name: str
    rates: Sequence[float]
    losses: Sequence[float]
    smoothed: Sequence[float]
    suggested: tuple[float, float] | None


def range_test_picture(curves: Sequence[RangeCurve], *, title: str = "", note: str = "") -> "Figure":
    """Draw the loss of each step, its moving average and the suggested range; one panel per loss.

    Args:
        curves: At least one.
        title: Above the panels.
        note: Small, below them.
    """
    with styled(title, note, *(curve.name for curve in curves)):
        figure = make_figure(1 + 6.5 * len(curves), 5)
        entitle(figure, title, note)
        for place, curve in enumerate(curves):
            axes = figure.add_subplot(1, len(curves), place + 1)
            axes.plot(curve.rates, curve.losses, color=PALE_GREY, linewidth=1, label=word("loss of each step"))
            axes.plot(curve.rates, curve.smoothed, color=OKABE_ITO[0], linewidth=2, label=word("moving average"))
            if curve.suggested is not None:
                low, high = curve.suggested
                axes.axvspan(
                    low,
                    high,
                    color=OKABE_ITO[2],
                    alpha=0.2,
                    label=word("the loss falls: {low:.2g} … {high:.2g}", low=low, high=high),
                )
            axes.set_xscale("log")
            top, bottom = max(curve.smoothed), min(curve.smoothed)
            axes.set_ylim(bottom - 0.05 * (top - bottom), min(top, curve.smoothed[0] * 2 if bottom > 0 else top) * 1.05)
            label_decades(axes.xaxis)
            axes.set_xlabel(word("learning rate"))
            axes.set_ylabel(metric_name(curve.name))
            axes.set_title(word("loss while the rate grows"), fontsize=TILES_TITLE)
            axes.legend()
        return figure
