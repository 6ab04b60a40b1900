"""Activations with histograms of their inputs, and a loss with a histogram of residuals or margins."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.figures.drawing import entitle, legend_below, make_figure
from dltool.figures.style import OKABE_ITO, SILVER, TILES_TITLE, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NUM_BINS = 80
ACTIVATION = ("g(z)", "g'(z)", "z", "g, g'")
VALUE, SLOPE = OKABE_ITO[0], OKABE_ITO[1]


class ActivationView(NamedTuple):
    """An activation.

    Attributes:
        name: Such as "ReLU".
        nodes: z, `(N,)`.
        g, slope: g(z) and g'(z) at the nodes.
        values: The z of the run.
        flat: Share of them with |g'(z)| < 0.01.
    """

    name: str
    nodes: np.ndarray
    g: np.ndarray
    slope: np.ndarray
    values: np.ndarray
    flat: float


class LossView(NamedTuple):
    """A loss of one sample.

    Attributes:
        name: Such as "mse"; "auto" for the loss that follows from the data.
        argument: What it is drawn over.
        nodes: Values of that, `(N,)`.
        losses: The loss at the nodes.
        values: The residuals or margins of the run.
    """

    name: str
    argument: str
    nodes: np.ndarray
    losses: np.ndarray
    values: np.ndarray


def functions_picture(
    activations: Sequence[ActivationView], loss: LossView | None, *, title: str = "", note: str = ""
) -> "Figure":
    """Draw a panel for each activation, and one for the loss.

    Args:
        activations: May be empty if there is a loss.
        loss: None for no panel.
        title: Above the panels.
        note: Small, below them.
    """
    count = len(activations) + (loss is not None)
    with styled(title, note):
        figure = make_figure(max(5.2 * count, 7.5), 4.8)
        entitle(figure, word("{title}: its activations and its loss", title=title), note)
        panels = np.atleast_1d(figure.subplots(1, count)).tolist()
        for axes, view in zip(panels, activations, strict=False):
            draw_activation(axes, view)
        if loss is not None:
            draw_loss(panels[-1], loss)
        return figure


def draw_activation(axes: "Axes", view: ActivationView) -> None:
    """Draw g and g' over the histogram of z."""
    draw_histogram(axes, view.values, view.nodes, word("z of the run"))
    axes.plot(view.nodes, view.g, "-", color=VALUE, label=ACTIVATION[0])
    axes.plot(view.nodes, view.slope, "--", color=SLOPE, label=ACTIVATION[1])
    axes.set_xlabel(ACTIVATION[2])
    axes.set_ylabel(ACTIVATION[3])
    axes.set_title(
        word("{name}: |g'| < 0.01 for {share:.0f} % of z", name=view.name, share=100 * view.flat), fontsize=TILES_TITLE
    )
    legend_below(axes, 3)


def draw_loss(axes: "Axes", view: LossView) -> None:
    """Draw the loss over the histogram of its argument."""
    label = "residuals of the run" if view.argument.startswith("residual") else "margins of the run"
    draw_histogram(axes, view.values, view.nodes, word(label))
    axes.plot(view.nodes, view.losses, "-", color=VALUE, label=word("loss of one sample"))
    axes.set_xlabel(word(view.argument))
    axes.set_ylabel(word("loss"))
    axes.set_title(
        word("the loss") if view.name == "auto" else word("the loss {name}", name=view.name), fontsize=TILES_TITLE
    )
    legend_below(axes, 3)


def draw_histogram(axes: "Axes", values: np.ndarray, nodes: np.ndarray, label: str) -> None:
    """Draw the shares of values within the nodes on an axis of its own, behind the curves."""
    shares = axes.twinx()
    inside = values[(values >= nodes[0]) & (values <= nodes[-1])]
    weights = np.full(len(inside), 1 / max(len(values), 1))
    shares.hist(inside, bins=NUM_BINS, range=(nodes[0], nodes[-1]), weights=weights, color=SILVER, alpha=0.6)
    shares.set_yticks([])
    shares.grid(visible=False)
    axes.set_zorder(shares.get_zorder() + 1)
    axes.patch.set_visible(False)
    axes.fill_between([], [], color=SILVER, alpha=0.6, label=label)
