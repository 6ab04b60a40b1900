"""The statistics of each layer over the training: gradients that vanish, activations that saturate, dead units."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dltool.figures.drawing import MARKERS_UP_TO, entitle, label_decades, make_figure
from dltool.figures.style import (
    IMAGES,
    MAPS,
    OKABE_ITO,
    TILES_TITLE,
    styled,
)
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Records = Sequence[Mapping[str, Any]]  # The lines of diagnostics/layers.jsonl.
NUM_NAMES = 24  # Of layers beside an axis.
NUM_TICKS = 5


class Quantity(NamedTuple):
    """A quantity of a layer as a panel.

    Attributes:
        name: Its name in the records.
        title: Above the panel.
        limits: The range of the colours; None for a logarithmic scale over the values.
    """

    name: str
    title: str
    limits: tuple[float, float] | None = None


QUANTITIES = (
    Quantity("delta", "‖δ‖: gradient of the loss\nat the layer's output"),
    Quantity("grad", "‖dW‖: gradient of the weights"),
    Quantity("rms", "root mean square\nof the activations"),
    Quantity("flat", "share of saturated activations\n(|g′| < 0.01)", (0, 1)),
    Quantity("dead", "share of units that are 0\nfor all samples", (0, 1)),
    Quantity("update", "‖ΔW‖ / ‖W‖: relative size\nof one update"),
)


def layer_heatmaps(records: Records, title: str = "", note: str = "") -> "Figure | None":
    """Draw each quantity as a map, layers by measured steps, the first layer at the top.

    Args:
        records: At least one.
        title: Above the panels.
        note: Small, below them.

    Returns:
        None if no layer was measured.
    """
    names = list(records[-1]["layers"])
    if not names:
        return None
    shown = [
        (quantity, values) for quantity in QUANTITIES if np.isfinite(values := table(records, names, quantity)).any()
    ]
    with styled(title, note, *names, style=IMAGES):
        rows, columns = math.ceil(len(shown) / 3), min(len(shown), 3)
        height = 1.6 + 0.22 * min(max(len(names), 5), 40)
        figure = make_figure(1 + 4.6 * columns, 1 + height * rows)
        entitle(figure, title or word("layers in training"), note)
        for place, (quantity, values) in enumerate(shown):
            axes = figure.add_subplot(rows, columns, place + 1)
            draw_map(axes, values, quantity)
            label_steps(axes, [record["step"] for record in records])
            label_layers(axes, names, named=place % columns == 0)
        return figure


def table(records: Records, names: Sequence[str], quantity: Quantity) -> np.ndarray:
    """The values of a quantity, float64 `(layers, records)`; NaN where it does not exist."""
    rows = [[record["layers"].get(name, {}).get(quantity.name, math.nan) for record in records] for name in names]
    return np.array(rows, dtype=float)


def draw_map(axes: "Axes", values: np.ndarray, quantity: Quantity) -> None:
    """Draw one quantity with its colour bar."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm

    shades = colormaps[MAPS].with_extremes(bad="white")
    if quantity.limits is not None:
        image = axes.imshow(values, aspect="auto", cmap=shades, vmin=quantity.limits[0], vmax=quantity.limits[1])
    else:
        positive = np.where(values > 0, values, np.nan)
        low, high = (np.nanmin(positive), np.nanmax(positive)) if np.isfinite(positive).any() else (1, 10)
        norm = LogNorm(low, high) if low < high else None
        image = axes.imshow(positive, aspect="auto", cmap=shades, norm=norm)
    bar = axes.figure.colorbar(image, ax=axes, pad=0.02)
    if quantity.limits is None:
        label_decades(bar.ax.yaxis)
    axes.set_title(word(quantity.title), fontsize=TILES_TITLE)


def label_steps(axes: "Axes", steps: Sequence[int]) -> None:
    """Label some columns with their steps; the first ones are closer in time than the later ones."""
    places = np.unique(np.linspace(0, len(steps) - 1, min(NUM_TICKS, len(steps))).round().astype(int))
    axes.set_xticks(places, [f"{steps[place]:,}" for place in places])
    axes.set_xlabel(word("step (0, 1, 2, 4 … 64, then evenly)"))


def label_layers(axes: "Axes", names: Sequence[str], *, named: bool) -> None:
    """Label the rows with the layers' names, or some of them if there are many."""
    every = math.ceil(len(names) / NUM_NAMES)
    places = list(range(0, len(names), every))
    axes.set_yticks(places, [names[place] for place in places] if named else [])


def layer_norms(records: Records, title: str = "", note: str = "") -> "Figure | None":
    """Draw ‖δ‖ and ‖dW‖ by layer at some steps; for a plain fully connected network also the predicted ‖δ‖, dashed.

    Args:
        records: At least one; `predicted` in one is ‖δ‖ of each layer by theory.
        title: Above the panels.
        note: Small, below them.

    Returns:
        None if no layer was measured.
    """
    names = list(records[-1]["layers"])
    if not names:
        return None
    chosen = [records[place] for place in sorted({0, len(records) // 2, len(records) - 1})]
    with styled(title, note, *names):
        figure = make_figure(12, 5)
        entitle(figure, title or word("gradients by layer"), note)
        for place, quantity in enumerate(QUANTITIES[:2]):
            axes = figure.add_subplot(1, 2, place + 1)
            for record, color, marker in zip(chosen, OKABE_ITO, "osD", strict=False):
                values = table([record], names, quantity)[:, 0]
                shown = marker if len(names) <= MARKERS_UP_TO else None
                axes.plot(
                    values, color=color, marker=shown, markersize=4, label=word("step {step:,}", step=record["step"])
                )
                if quantity.name == "delta" and "predicted" in record:
                    axes.plot(record["predicted"], "--", color=color, label=word("theory"))
            axes.set_yscale("log")
            label_decades(axes.yaxis)
            axes.set_title(word(quantity.title).replace("\n", " "), fontsize=TILES_TITLE)
            axes.set_xlabel(word("layer, from the input to the output"))
            label_columns(axes, names)
            axes.legend()
        return figure


def label_columns(axes: "Axes", names: Sequence[str]) -> None:
    """Label the x-axis with the layers: their names if they are few, else their numbers."""
    from matplotlib.ticker import MaxNLocator

    if len(names) <= 8:
        axes.set_xticks(range(len(names)), list(names), rotation=30, ha="right")
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
