"""The gradients and spreads by layer of several runs, at the beginning and at the end of their training."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dltool.figures.drawing import MARKERS_UP_TO, label_decades, legend_columns, make_figure
from dltool.figures.style import NOTE_SIZE, OKABE_ITO, PANELS_TITLE, TILES_TITLE, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 12  # Inches.
MARKERS, DASHES = "osD^v<>P", ("-", "--", "-.", ":")
Record = Mapping[str, Any]  # A line of diagnostics/layers.jsonl.


def compared_layers(runs: Mapping[str, Sequence[Record]], title: str = "", note: str = "") -> "Figure":
    """Draw ‖δ‖ of each layer over that of the last layer, and the spread of z over the samples, a line for each run.

    Args:
        runs: Label to records, at least one of each run.
        title: What the runs have in common, such as "mlp on digits".
        note: Small, below the panels.
    """
    with styled(title, note, *runs):
        entries = legend_columns(list(runs), WIDTH)
        rows = [(word("‖δ‖ of the layer / ‖δ‖ of the last one"), relative_deltas)]
        if all(map(is_known, (spreads(records[place]) for records in runs.values() for place in (0, -1)))):
            rows.append((word("standard deviation over the samples\nof what the activation gets"), spreads))
        figure = make_figure(WIDTH, 1 + 4.2 * len(rows) + 0.26 * -(-len(runs) // entries))
        figure.suptitle(word("{title}: gradient and spread by layer", title=title), fontsize=PANELS_TITLE)
        for row, (quantity, of_layers) in enumerate(rows):
            for place, step in ((0, word("the first step")), (-1, word("the last measured step"))):
                axes = figure.add_subplot(len(rows), 2, 2 * row + abs(place) + 1)
                draw_layers(axes, quantity, {label: of_layers(records[place]) for label, records in runs.items()})
                axes.set_title(step, fontsize=TILES_TITLE)
        lines, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(
            lines,
            labels,
            loc="outside lower left",
            ncols=entries,
            title=note,
            title_fontproperties={"size": NOTE_SIZE},
            alignment="left",
        )
        return figure


def relative_deltas(record: Record) -> list[float]:
    """‖δ‖ of each layer over that of the last layer; NaN where it is 0 or unknown."""
    deltas = [layer.get("delta", math.nan) for layer in record["layers"].values()]
    last = deltas[-1] if deltas else math.nan
    return [delta / last if delta > 0 and last > 0 else math.nan for delta in deltas]


def spreads(record: Record) -> list[float]:
    """The standard deviation over the samples of what each layer's activation gets; NaN where it is 0 or unknown."""
    found = [layer.get("spread", math.nan) for layer in record["layers"].values()]
    return [spread if spread > 0 else math.nan for spread in found]


def is_known(values: Sequence[float]) -> bool:
    return any(map(math.isfinite, values))


def draw_layers(axes: "Axes", quantity: str, runs: Mapping[str, Sequence[float]]) -> None:
    """Draw a line for each run on a logarithmic axis."""
    from matplotlib.ticker import MaxNLocator

    for number, (label, values) in enumerate(runs.items()):
        axes.plot(
            range(1, len(values) + 1),
            values,
            color=OKABE_ITO[number % len(OKABE_ITO)],
            linestyle=DASHES[number % len(DASHES)],
            marker=MARKERS[number % len(MARKERS)] if len(values) <= MARKERS_UP_TO else None,
            markersize=4,
            label=label,
        )
    axes.set_yscale("log")
    label_decades(axes.yaxis)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel(quantity)
    axes.set_xlabel(word("layer, counted from the input"))
