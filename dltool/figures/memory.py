"""The gates and states of an LSTM or a GRU over time, and the direct path of the gradient."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.diverging import diverging, mark_negative
from dltool.figures.drawing import MARKERS_UP_TO, entitle, label_decades, make_figure
from dltool.figures.style import (
    IMAGES,
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

TITLES = {
    "i": "input gate i",
    "f": "forget gate f",
    "o": "output gate o",
    "c": "cell state c",
    "h": "output h",
    "r": "reset gate r",
    "z": "update gate z",
    "n": "candidate n",
}
GATES = "iforz"  # In 0 … 1; the others have both signs.
SMALLEST = 1e-12  # Drawn of a product.
LEGEND = {
    "f": "c_t = f ∘ c_(t-1) + i ∘ c̃,  h_t = o ∘ tanh(c_t)  (Hochreiter and Schmidhuber 1997; Gers et al. 2000)",
    "z": "h_t = (1 - z) ∘ n + z ∘ h_(t-1)  (Cho et al. 2014, in torch's form)",
}


def memory_picture(
    gates: Mapping[str, np.ndarray], path: np.ndarray, *, carry: str, title: str = "", note: str = ""
) -> "Figure":
    """Draw a map, units by time steps, for each gate and state, and the product of the gate that carries the state.

    Args:
        gates: Name to values `(T, H)`; those without a title here are not drawn.
        path: The product from each step to the last one, `(T, H)`.
        carry: The gate of the product, "f" or "z".
        title: Above the panels.
        note: Small, below them.
    """
    shown = {name: values for name, values in gates.items() if name in TITLES}
    with styled(title, note, style=IMAGES):
        figure = make_figure(14, 8)
        entitle(figure, title, LEGEND[carry], note)
        for place, (name, values) in enumerate(shown.items()):
            draw_gate(figure.add_subplot(2, 3, place + 1), name, values)
        draw_path(figure.add_subplot(2, 3, len(shown) + 1), path, carry)
        return figure


def draw_gate(axes: "Axes", name: str, values: np.ndarray) -> None:
    """Draw one map, a row for each unit; zero is in the middle of the colours of states."""
    from matplotlib.ticker import MaxNLocator

    gate = name in GATES
    largest = 1.0 if gate else float(np.abs(values).max()) or 1.0
    colours = MAPS if gate else diverging()
    image = axes.imshow(
        values.T, aspect="auto", cmap=colours, vmin=0 if gate else -largest, vmax=largest, interpolation="nearest"
    )
    bar = axes.figure.colorbar(image, ax=axes, pad=0.02)
    if not gate and mark_negative(axes, values.T, largest):
        bar.set_label(word("marked: negative"))
    axes.set_title(word(TITLES[name]), fontsize=TILES_TITLE)
    axes.set_xlabel(word("time step"))
    axes.set_ylabel(word("unit"))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=6, integer=True))


def draw_path(axes: "Axes", path: np.ndarray, carry: str) -> None:
    """Draw the product of each unit, and the mean over the units."""
    from matplotlib.ticker import MaxNLocator

    steps = np.arange(len(path))
    axes.plot(steps, np.maximum(path, SMALLEST), color=SILVER, linewidth=0.6, alpha=0.6)
    marker = "o" if len(path) <= MARKERS_UP_TO else None
    mean = np.maximum(path.mean(axis=1), SMALLEST)
    axes.plot(steps, mean, color=OKABE_ITO[1], marker=marker, markersize=4, label=word("mean over the units"))
    axes.plot([], [], color=SILVER, label=word("a unit"))
    axes.set_yscale("log")
    label_decades(axes.yaxis)
    state = "c" if carry == "f" else "h"
    axes.set_title(word("direct path of the gradient: ∏ {carry}", carry=carry), fontsize=TILES_TITLE)
    axes.set_xlabel(word("from time step"))
    axes.set_ylabel(word("∂{state}_T / ∂{state}_t along {carry}", state=state, carry=carry))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.legend()
