"""A reliability diagram: a model's accuracy by its confidence."""

from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.drawing import make_figure
from dltool.figures.style import BLUE, GREY, ORANGE, PALE_BLUE, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure


def reliability_diagram(sums: np.ndarray, title: str = "") -> "Figure":
    """Draw the accuracy of each bin of confidence over the diagonal, and how many samples the bins have.

    Args:
        sums: `(3, bins)`: samples, correct ones, and the sum of the confidences in each bin of [0, 1], of equal width.
        title: Above the diagram, before the calibration error.
    """
    counts, right, confidence = sums
    num_bins, filled = len(counts), counts > 0
    error = np.abs(right - confidence).sum() / counts.sum()
    middles = (np.arange(num_bins) + 0.5) / num_bins
    with styled(title):
        figure = make_figure(5.6, 6.4)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        accuracy = right[filled] / counts[filled]
        upper.bar(middles[filled], accuracy, 0.9 / num_bins, color=BLUE, label=word("accuracy"))
        upper.plot(
            confidence[filled] / counts[filled], accuracy, "o", color=ORANGE, label=word("at the mean confidence")
        )
        upper.plot([0, 1], [0, 1], "--", color=GREY, linewidth=1.2, label=word("calibrated"))
        upper.set_ylim(0, 1.03)
        upper.set_ylabel(word("accuracy"))
        upper.set_title(word("{title}: calibration error {error:.4f}", title=title, error=error), loc="left", pad=26)
        upper.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
        lower.bar(middles, counts / counts.sum(), 0.9 / num_bins, color=PALE_BLUE)
        lower.set_ylabel(word("share of samples"))
        lower.set_xlabel(word("confidence"))
        lower.set_xlim(0, 1)
        return figure
