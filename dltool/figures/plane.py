"""Slices through the loss over the weights, with the path of a training coloured by its own loss."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dltool.figures.drawing import entitle, make_figure
from dltool.figures.style import MAPS, NUMBER_SIZE, TILES_TITLE, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NUM_LEVELS, NUM_TICKS = 12, 7  # Contours, and numbers at the colour bar.


class Slice(NamedTuple):
    """The loss over a plane.

    Attributes:
        first, second: Coordinates along the two directions.
        values: The loss, `(second, first)`.
        path: The places of a training's weights, `(T, 2)`; None for a plane without a path.
        true: The losses of those weights, `(T,)`, not of their places in the plane.
        shares: Share of the squared distances from the last weights along each direction.
        off: The largest distance of the path from the plane.
    """

    first: np.ndarray
    second: np.ndarray
    values: np.ndarray
    path: np.ndarray | None = None
    true: np.ndarray | None = None
    shares: tuple[float, float] = (0.0, 0.0)
    off: float = 0.0


def plane_picture(around: Slice, along: Slice, *, title: str = "", note: str = "") -> "Figure":
    """Draw the random slice around the last weights, and the slice along the path.

    Args:
        around: Without a path.
        along: With a path.
        title: Above the panels.
        note: Small, below them.
    """
    with styled(title, note):
        figure = make_figure(13.5, 6)
        entitle(figure, word("{title}: training loss over planes of weights", title=title), note)
        left, right = figure.subplots(1, 2)
        draw_slice(left, around)
        left.plot(0, 0, "*", color="white", markeredgecolor="black", markersize=14)
        left.set_xlabel(word("α, in norms of each filter"))
        left.set_ylabel(word("β, in norms of each filter"))
        left.set_title(word("random directions, normalised by filters"), fontsize=TILES_TITLE)
        draw_slice(right, along)
        right.set_xlabel(word("first direction of the path ({share:.1f} % of ‖θ - θ_T‖²)", share=100 * along.shares[0]))
        right.set_ylabel(word("second direction ({share:.1f} %)", share=100 * along.shares[1]))
        right.set_title(word("plane of the path, which is up to {off:.2g} off it", off=along.off), fontsize=TILES_TITLE)
        return figure


def draw_slice(axes: "Axes", view: Slice) -> None:
    """Draw the loss in logarithmic colours with contours, and the path in the same colours by its own loss."""
    from matplotlib.colors import LogNorm

    finite = view.values[np.isfinite(view.values)]
    every = finite if view.true is None else np.concatenate([finite, view.true[np.isfinite(view.true)]])
    low, high = max(float(every.min(initial=np.inf)), 1e-8), float(every.max(initial=1e-7))
    high = max(high, 1.01 * low)
    style: dict[str, Any] = {"norm": LogNorm(low, high), "cmap": MAPS}
    image = axes.pcolormesh(view.first, view.second, view.values, shading="nearest", rasterized=True, **style)
    if finite.size and finite.min() < finite.max():
        levels = np.geomspace(low, high, NUM_LEVELS)
        lines = axes.contour(view.first, view.second, view.values, levels=levels, colors="white", linewidths=0.6)
        axes.clabel(lines, fontsize=NUMBER_SIZE, fmt="%.3g")
    bar = axes.figure.colorbar(image, ax=axes, pad=0.02)
    ticks = np.geomspace(low, high, NUM_TICKS)
    bar.minorticks_off()
    bar.set_ticks(ticks.tolist(), labels=[f"{tick:.3g}" for tick in ticks])
    bar.set_label(word("loss (logarithmic)"))
    if view.path is not None:
        x, y = view.path.T
        axes.plot(x, y, "-", color="black", linewidth=0.9)
        axes.scatter(
            x, y, c=view.true, s=34, edgecolors="black", linewidths=0.7, zorder=4, label=word("its own loss"), **style
        )
        axes.plot(
            x[-1], y[-1], "*", color="white", markeredgecolor="black", markersize=14, zorder=5, label=word("the end")
        )
        axes.legend(loc="upper right", frameon=True, framealpha=0.85)
    axes.grid(visible=False)
