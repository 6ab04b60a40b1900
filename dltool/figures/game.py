"""A GAN's discriminator over the plane, with data, samples and the warped grid of the noise; a picture, or a film."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.figures.boundary import FILM_DPI, FILM_INCHES, rendered
from dltool.figures.diverging import pale_diverging
from dltool.figures.drawing import entitle, make_figure
from dltool.figures.style import (
    BOXED,
    CAPTION_SIZE,
    GREY,
    MAPS,
    OKABE_ITO,
    SILVER,
    TILES_TITLE,
    styled,
)
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from PIL.Image import Image

NUM_DRAWN = 500  # Points of the data, and samples.
DATA, SAMPLES = "black", OKABE_ITO[2]
LINES = (OKABE_ITO[0], OKABE_ITO[1])  # Of constant z₁ and of constant z₂.


class GameView(NamedTuple):
    """The game at one step.

    Attributes:
        values: D at the nodes of a grid, `(G, G)`, rows from the bottom.
        extent: Left, right, bottom, top of the grid, in the data's units.
        is_probability: Whether D estimates the probability of data; else it is a critic, without a scale of its own.
        samples: `(N, 2)`.
        lines: Where G maps lines of constant noise, each `(P, 2)`: the first half those of constant z₁.
        step: The step of the weights; None if the figure states it elsewhere.
    """

    values: np.ndarray
    extent: tuple[float, float, float, float]
    is_probability: bool
    samples: np.ndarray
    lines: Sequence[np.ndarray]
    step: int | None = None


def game_picture(
    view: GameView, points: np.ndarray, names: Sequence[str], *, title: str = "", note: str = ""
) -> "Figure":
    """Draw D with data and samples, and right of it where G maps the grid of its noise.

    Args:
        view: The game.
        points: Training points, `(N, 2)`.
        names: Of the two numbers.
        title: Above the panels.
        note: Small, below them.
    """
    with styled(title, note, *names, style=BOXED):
        figure = make_figure(13, 6.2)
        entitle(figure, word("{title}: discriminator and samples", title=title), note)
        left, right = figure.subplots(1, 2)
        image = draw_discriminator(left, view)
        label = word("D(x), probability of data (line: ½)" if view.is_probability else "D(x), the critic's score")
        figure.colorbar(image, ax=left, shrink=0.75, pad=0.02).set_label(label)
        draw_points(left, view, points)
        left.legend(loc="upper right", fontsize=CAPTION_SIZE, framealpha=0.85, frameon=True)
        left.set_title(word("D over the data, and samples of G"), fontsize=TILES_TITLE)
        draw_lattice(right, view, points)
        for axes in (left, right):
            frame(axes, view, names)
        return figure


def frame(axes: "Axes", view: GameView, names: Sequence[str]) -> None:
    """Limit the axes to the grid, and name them."""
    axes.set_xlim(*view.extent[:2])
    axes.set_ylim(*view.extent[2:])
    axes.set_xlabel(names[0], labelpad=1)
    axes.set_ylabel(names[1], labelpad=1)


def draw_discriminator(axes: "Axes", view: GameView) -> "AxesImage":
    """D in colour: a probability from 0 to 1 with the line where it is ½, a critic on its own scale with contours."""
    if not view.is_probability:
        image = axes.imshow(view.values, cmap=MAPS, origin="lower", extent=view.extent, aspect="auto")
        if view.values.min() < view.values.max():
            axes.contour(view.values, colors="white", linewidths=0.7, origin="lower", extent=view.extent)
        return image
    image = axes.imshow(
        view.values, cmap=pale_diverging(), vmin=0, vmax=1, origin="lower", extent=view.extent, aspect="auto"
    )
    if view.values.min() < 0.5 < view.values.max():
        axes.contour(view.values, [0.5], colors="black", linewidths=1.6, origin="lower", extent=view.extent)
    return image


def draw_points(axes: "Axes", view: GameView, points: np.ndarray) -> None:
    """Draw the data and the samples."""
    x, y = points[:NUM_DRAWN].T
    axes.scatter(x, y, s=14, color=DATA, marker="o", edgecolors="white", linewidths=0.4, label=word("data"))
    x, y = view.samples[:NUM_DRAWN].T
    axes.scatter(x, y, s=18, color=SAMPLES, marker="^", edgecolors="white", linewidths=0.4, label=word("samples of G"))


def draw_lattice(axes: "Axes", view: GameView, points: np.ndarray) -> None:
    """Draw the lines to which G maps those of constant noise, over the data."""
    x, y = points[:NUM_DRAWN].T
    axes.scatter(x, y, s=10, color=SILVER, marker="o", linewidths=0)
    half = len(view.lines) // 2
    for place, line in enumerate(view.lines):
        second = place >= half and half > 0
        axes.plot(*line.T, "--" if second else "-", color=LINES[int(second)], linewidth=0.9, alpha=0.85)
    if half:
        axes.plot([], [], color=LINES[0], label=word("z₁ constant"))
        axes.plot([], [], "--", color=LINES[1], label=word("z₂ constant"))
        axes.legend(loc="upper right", fontsize=CAPTION_SIZE, framealpha=0.85, frameon=True)
    axes.set_title(word("where G maps a grid of z" if half else "where G maps the line of z"), fontsize=TILES_TITLE)


def game_film(views: Iterable[GameView], points: np.ndarray, names: Sequence[str], *, title: str = "") -> "list[Image]":
    """Draw each view as a frame: D, data, samples and the grid of the noise; all frames have the same size."""
    frames = []
    with styled(title, *names, style=BOXED):
        figure = make_figure(FILM_INCHES, FILM_INCHES, dpi=FILM_DPI)
        axes = figure.add_axes((0.16, 0.12, 0.81, 0.75))
        figure.set_layout_engine("none")
        figure.suptitle(title, fontsize=TILES_TITLE, y=0.99)
        for view in views:
            axes.clear()
            draw_discriminator(axes, view)
            for line in view.lines:
                axes.plot(*line.T, color=GREY, linewidth=0.4, alpha=0.6)
            draw_points(axes, view, points)
            axes.set_title(word("step {step:,}", step=view.step), fontsize=TILES_TITLE, loc="left")
            frame(axes, view, names)
            frames.append(rendered(figure))
    return frames
