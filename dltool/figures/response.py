"""The maps of a convolution for an image and for the image shifted, and what a shift changes later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dltool.figures.diverging import diverging, mark_negative
from dltool.figures.drawing import entitle, make_figure
from dltool.figures.style import IMAGES, MAPS, OKABE_ITO, TILES_TITLE, WEIGHTS, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

MARKERS, DASHES = "os^D", ("-", "--", "-.", ":")


@dataclass(frozen=True)
class Channel:
    """One channel of the first convolution.

    Attributes:
        number: Of the channel.
        kernel: `(k, k)`, for the first input channel.
        before, after: Its map for the image and for the shifted image.
        pooled: The pooled map for the image; None without pooling.
    """

    number: int
    kernel: np.ndarray
    before: np.ndarray
    after: np.ndarray
    pooled: np.ndarray | None


def response_picture(
    image: np.ndarray,
    channels: Sequence[Channel],
    shifts: Sequence[int],
    changes: Mapping[str, Sequence[float]],
    probability: Sequence[float],
    *,
    shown: int,
    title: str = "",
    note: str = "",
) -> "Figure":
    """Draw a row of tiles for each channel, the changes over the shift, and the probability.

    Args:
        image: `(H, W)`.
        channels: At least one.
        shifts: In pixels, to the right.
        changes: Name to the relative change at each shift.
        probability: Of the class that is predicted without a shift.
        shown: The shift of the tiles.
        title: Above the panels.
        note: Small, below them.
    """
    with styled(title, note, style=IMAGES):
        figure = make_figure(16, 2.1 * max(len(channels), 3) + 1.2)
        formula = word("equivariance: f(shifted x) = shifted f(x);  invariance: f(shifted x) = f(x)  (LeCun 1989)")
        entitle(figure, title, formula, note)
        parts: Any = figure.subfigures(1, 2, width_ratios=[1.5, 1])
        tiles, panels = parts
        draw_tiles(tiles, image, channels, shown)
        upper, lower = panels.subplots(2, 1, sharex=True)
        draw_changes(upper, shifts, changes)
        lower.plot(shifts, probability, color=OKABE_ITO[0], marker="o", markersize=4)
        lower.set_ylim(0, 1.03)
        lower.set_title(word("probability of the unshifted image's class"), fontsize=TILES_TITLE)
        lower.set_xlabel(word("shift to the right (pixels)"))
        lower.set_ylabel(word("mean probability"))
        return figure


def draw_tiles(figure: "Figure", image: np.ndarray, channels: Sequence[Channel], shown: int) -> None:
    """Draw image, kernel, map, map of the shifted image and pooled map of each channel."""
    titles = [word("input"), word("kernel"), word("map"), word("map, input\nshifted by {shift}", shift=shown)]
    pooled = channels[0].pooled is not None
    titles += [word("pooled map")] * pooled
    grid = figure.subplots(len(channels), len(titles), squeeze=False)
    for row, channel in zip(grid, channels, strict=True):
        largest = float(np.abs(channel.kernel).max()) or 1.0
        limits: dict[str, Any] = {"vmin": float(channel.before.min()), "vmax": float(channel.before.max())}
        draw_tile(row[0], image, WEIGHTS)
        draw_tile(row[1], channel.kernel, diverging(), vmin=-largest, vmax=largest)
        mark_negative(row[1], channel.kernel, largest)
        draw_tile(row[2], channel.before, MAPS, **limits)
        draw_tile(row[3], channel.after, MAPS, **limits)
        if channel.pooled is not None:
            draw_tile(row[4], channel.pooled, MAPS)
        row[0].set_ylabel(word("channel {number}", number=channel.number))
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title, fontsize=TILES_TITLE)


def draw_tile(axes: "Axes", values: np.ndarray, colours: "str | Colormap", **limits: Any) -> None:
    """Draw one map without ticks, with its scale."""
    image = axes.imshow(values, cmap=colours, interpolation="nearest", **limits)
    axes.figure.colorbar(image, ax=axes, shrink=0.8, pad=0.03)
    axes.set_xticks([])
    axes.set_yticks([])


def draw_changes(axes: "Axes", shifts: Sequence[int], changes: Mapping[str, Sequence[float]]) -> None:
    """Draw a curve for each quantity."""
    for place, (name, values) in enumerate(changes.items()):
        known = np.isfinite(values)
        axes.plot(
            np.asarray(shifts)[known],
            np.asarray(values)[known],
            color=OKABE_ITO[place],
            marker=MARKERS[place],
            linestyle=DASHES[place],
            markersize=5,
            label=word(name),
        )
    axes.set_title(word("what the shift changes"), fontsize=TILES_TITLE)
    axes.set_ylabel(word("relative change ‖new - old‖ / ‖old‖"))
    axes.set_ylim(top=1.6 * axes.get_ylim()[1])  # Above the curves there is space for the legend.
    axes.legend(loc="upper center")
