"""Generated points in the plane over the known modes of the data."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.drawing import make_figure
from dltool.figures.style import BLUE, BOXED, RED, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure


def point_scatter(
    points: np.ndarray, centers: Sequence[Sequence[float]] = (), center_std: float = 0.0, title: str = ""
) -> "Figure":
    """Draw a scatter plot of generated points.

    Args:
        points: `(N, 2)`.
        centers: The modes of the data: drawn as crosses, with a circle of two standard deviations, they set the axes.
        center_std: The standard deviation of each mode.
        title: Above the axes.
    """
    from matplotlib.patches import Circle

    with styled(title, style=BOXED):
        figure = make_figure(6, 6, dpi=110)
        axes = figure.add_subplot()
        axes.set_aspect("equal")
        if centers:
            modes = np.array(centers)
            middle, reach = modes.mean(axis=0), np.ptp(modes, axis=0).max() / 2 * 1.3 + 4 * center_std
            axes.set_xlim(middle[0] - reach, middle[0] + reach)
            axes.set_ylim(middle[1] - reach, middle[1] + reach)
            outside = int((np.abs(points - middle) > reach).any(axis=1).sum())
            if outside:
                title += word("  ({outside:,} of {all:,} points outside)", outside=outside, all=len(points))
            for x, y in centers:
                axes.add_patch(Circle((x, y), 2 * center_std, fill=False, edgecolor=RED, zorder=3))
            axes.plot(*modes.T, "x", color=RED, markersize=8, label=word("modes of the data, ○ 2σ"), zorder=3)
        axes.plot(*points.T, ".", color=BLUE, markersize=3, alpha=0.5, label=word("generated"), zorder=2)
        axes.set_title(title)
        axes.set_xlabel("x₁")
        axes.set_ylabel("x₂")
        figure.legend(loc="outside lower center", ncols=2, frameon=False, markerscale=1.5)
        return figure
