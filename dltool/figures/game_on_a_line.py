"""The game of a GAN over one number: densities, the discriminator beside the best one, divergences over the steps."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.figures.boundary import FILM_DPI, FILM_INCHES, rendered
from dltool.figures.drawing import entitle, make_figure
from dltool.figures.style import CAPTION_SIZE, GREY, OKABE_ITO, TILES_TITLE, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL.Image import Image

DATA, SAMPLES, D, BEST = "black", OKABE_ITO[2], OKABE_ITO[0], OKABE_ITO[1]

FORMULAS = {"d": "D(x)", "best": "D*(x) = p / (p + q)", "js": "JS(p, q)", "value": "(V(D) + log 4) / 2"}


class LineView(NamedTuple):
    """The game at one step, at nodes x `(N,)`.

    Attributes:
        x: In the data's units.
        p, q: The densities of data and samples.
        d: D(x).
        is_probability: Whether D estimates the probability of data; else it is a critic's score.
        best: D*(x) = p / (p + q), NaN where both are 0.
        step: The step of the weights; None if the figure states it elsewhere.
    """

    x: np.ndarray
    p: np.ndarray
    q: np.ndarray
    d: np.ndarray
    is_probability: bool
    best: np.ndarray
    step: int | None = None


class Divergences(NamedTuple):
    """The distance between data and samples at one step.

    Attributes:
        step: The step of the weights.
        jensen_shannon: In nats, at most log 2.
        wasserstein: In the data's units.
        value: V(D) of the run's discriminator; NaN for a critic.
    """

    step: int
    jensen_shannon: float
    wasserstein: float
    value: float


def line_picture(
    view: LineView, measured: Sequence[Divergences], name: str, *, title: str = "", note: str = ""
) -> "Figure":
    """Draw the densities, below them D and D*, and right of them the divergences over the steps.

    Args:
        view: The game.
        measured: The divergences in the order of the steps; may be empty.
        name: Of the number x.
        title: Above the panels.
        note: Small, below them.
    """
    with styled(title, note, name):
        figure = make_figure(13, 6.4)
        entitle(figure, word("{title}: the game over x", title=title), note)
        columns = figure.add_gridspec(2, 2, width_ratios=(6, 5))
        densities, discriminator = (figure.add_subplot(columns[row, 0]) for row in range(2))
        draw_densities(densities, view)
        densities.legend()
        densities.set_title(word("densities"), fontsize=TILES_TITLE)
        draw_discriminator(discriminator, view)
        discriminator.legend()
        discriminator.set_xlabel(name)
        js, earth = (figure.add_subplot(columns[row, 1]) for row in range(2))
        draw_divergences(js, earth, measured, name)
        return figure


def draw_densities(axes: "Axes", view: LineView) -> None:
    """Draw p and q."""
    axes.fill_between(view.x, view.p, color=DATA, alpha=0.12, linewidth=0)
    axes.fill_between(view.x, view.q, color=SAMPLES, alpha=0.2, linewidth=0)
    axes.plot(view.x, view.p, ":", color=DATA, label=word("p, data"))
    axes.plot(view.x, view.q, "-", color=SAMPLES, label=word("q, samples of G"))
    axes.set_ylabel(word("density"))
    axes.set_ylim(0, None)
    axes.set_xlim(view.x[0], view.x[-1])


def draw_discriminator(axes: "Axes", view: LineView) -> None:
    """Draw D, and D* with the line at ½ where D is a probability."""
    axes.plot(view.x, view.d, "-", color=D, label=FORMULAS["d"])
    if view.is_probability:
        axes.plot(view.x, view.best, "--", color=BEST, label=FORMULAS["best"])
        axes.axhline(0.5, color=GREY, linewidth=0.8)
        axes.set_ylim(-0.05, 1.05)
    axes.set_ylabel(word("probability of data" if view.is_probability else "critic's score"))
    axes.set_xlim(view.x[0], view.x[-1])


def draw_divergences(js: "Axes", earth: "Axes", measured: Sequence[Divergences], name: str) -> None:
    """Draw the Jensen-Shannon divergence with what D attains of it, and the earth mover's distance."""
    steps = [one.step for one in measured]
    js.plot(
        steps, [one.jensen_shannon for one in measured], "-", marker="o", markersize=3, color=BEST, label=FORMULAS["js"]
    )
    attained = [(one.value + math.log(4)) / 2 for one in measured]
    if any(map(math.isfinite, attained)):
        js.plot(steps, attained, "--", marker="^", markersize=3, color=D, label=FORMULAS["value"])
    js.axhline(math.log(2), color=GREY, linewidth=0.8)
    js.annotate("log 2", (1, math.log(2)), xycoords=("axes fraction", "data"), ha="right", va="bottom", color=GREY)
    js.set_ylim(min(-0.05, max(-0.7, min(filter(math.isfinite, attained), default=0))), 0.78)
    js.set_ylabel(word("nats"))
    js.legend()
    js.set_title(word("Jensen-Shannon divergence, and what D attains of it"), fontsize=TILES_TITLE)
    earth.plot(steps, [one.wasserstein for one in measured], "-", marker="s", markersize=3, color=SAMPLES)
    earth.set_ylim(0, 1.1 * max((one.wasserstein for one in measured), default=1.0) or 1.0)
    earth.set_ylabel(word("W₁ in units of {name}", name=name))
    earth.set_xlabel(word("step"))
    earth.set_title(word("earth mover's distance"), fontsize=TILES_TITLE)


def line_film(views: Callable[[], Iterable[LineView]], name: str, *, title: str = "") -> "list[Image]":
    """Draw each view as a frame: densities, and below them D and D*; the axes and sizes of all frames are equal.

    Args:
        views: Returns the views in order; it is called once.
        name: Of the number x.
        title: Above the panels.
    """
    frames = []
    seen = list(views())
    top = 1.1 * max((min(view.q.max(), 4 * view.p.max()) for view in seen), default=1.0)
    with styled(title, name):
        figure = make_figure(FILM_INCHES * 1.3, FILM_INCHES, dpi=FILM_DPI)
        figure.set_layout_engine("none")
        upper, lower = figure.add_axes((0.14, 0.51, 0.83, 0.35)), figure.add_axes((0.14, 0.11, 0.83, 0.36))
        figure.suptitle(title, fontsize=TILES_TITLE, y=0.99)
        for view in seen:
            upper.clear()
            lower.clear()
            draw_densities(upper, view)
            upper.set_ylim(0, max(top, 1.1 * view.p.max()))
            upper.legend(loc="upper right", fontsize=CAPTION_SIZE)
            upper.tick_params(labelbottom=False)  # The panel below has the same x-axis.
            upper.set_title(word("step {step:,}", step=view.step), fontsize=TILES_TITLE, loc="left")
            draw_discriminator(lower, view)
            lower.legend(loc="center right", fontsize=CAPTION_SIZE, frameon=True, framealpha=0.85)
            lower.set_xlabel(name, labelpad=1)
            frames.append(rendered(figure))
    return frames
