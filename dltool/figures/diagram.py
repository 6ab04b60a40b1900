"""Networks as diagrams: units with their connections where they are few, blocks with shapes where they are many."""

import itertools
import math
import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from dltool.figures.drawing import entitle, make_figure
from dltool.figures.style import CAPTION_SIZE, DARK_GREY, OKABE_ITO, SILVER, TILES_TITLE, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NUM_UNITS = 12  # Of a layer that is drawn unit by unit.
NUM_SHEETS = 6  # Of a block of feature maps.
COLUMN, HALF = 1.5, 1.25  # Width of a layer and half the height of the largest one, in inches.
LABEL_CHARACTERS = 18
ROW_LENGTH = 10  # Layers that are drawn side by side.
STUB = 0.55 * COLUMN  # Of a connection to another row.
INPUT = -1  # The place of the network's input.
COLORS = {"fully connected": OKABE_ITO[0], "images": OKABE_ITO[2], "sequences": OKABE_ITO[4]}


class Layer(NamedTuple):
    """A layer of a network, with what follows it and keeps its size, such as its activation.

    Attributes:
        name: Its path in the model.
        kinds: Its class, then those of the layers that follow it.
        shape: Of its output for one sample.
        num_parameters: Including those of what follows it.
        connected: Whether each unit depends on each number before it.
        sources: The places of the layers whose outputs it reads; INPUT is the network's input.
        added: The places of earlier layers whose outputs are added or appended to its own: residual connections.
        repeats: How often the group that begins here is repeated, and its number of layers.
    """

    name: str
    kinds: tuple[str, ...]
    shape: tuple[int, ...]
    num_parameters: int
    connected: bool = False
    sources: tuple[int, ...] = ()
    added: tuple[int, ...] = ()
    repeats: tuple[int, int] = (1, 1)


class Network(NamedTuple):
    """A network in the order of its computation.

    Attributes:
        name: Such as "generator"; empty for a model of one network.
        input_shape: Of one sample.
        layers: At least one.
    """

    name: str
    input_shape: tuple[int, ...]
    layers: Sequence[Layer]


class Row(NamedTuple):
    """The layers of a network that are drawn side by side.

    Attributes:
        first, last: Their places; the row of the network's input begins with INPUT.
    """

    first: int
    last: int

    def x(self, place: float) -> float:
        """The horizontal position of a layer; the first of the row is at 0."""
        return (place - self.first) * COLUMN

    def has(self, place: float) -> bool:
        return self.first <= place < self.last + 1


def rows_of(network: Network) -> list[Row]:
    """Rows of about the same length, so that a deep network is as wide as a page."""
    total = len(network.layers) + 1
    count = math.ceil(total / (ROW_LENGTH + 1))
    starts = [round(total * row / count) + INPUT for row in range(count + 1)]
    return [Row(first, end - 1) for first, end in itertools.pairwise(starts)]


def diagram(networks: Sequence[Network], *, title: str = "", note: str = "") -> "Figure":
    """Draw each network from the input at the left to the output at the right, a deep one in several rows.

    Args:
        networks: At least one.
        title: Above them.
        note: Small, below them.
    """
    names = [layer.name for network in networks for layer in network.layers]
    with styled(title, note, *names, *(network.name for network in networks), style={"axes.grid": False}):
        rows = [(network, row) for network in networks for row in rows_of(network)]
        widest = max(row.last - row.first + 1 for _, row in rows)
        figure = make_figure(max(1 + COLUMN * widest, 6.5), 0.9 + 4.6 * len(rows))
        entitle(figure, title, note)
        for place, (network, row) in enumerate(rows):
            axes = figure.add_subplot(len(rows), 1, place + 1)
            draw_row(axes, network, row)
            axes.set_xlim(-0.6 * COLUMN, (widest - 0.4) * COLUMN)
            axes.set_ylim(-3.1, 2.3)
            axes.set_aspect("equal")
            axes.set_axis_off()
            axes.set_title(network.name if row.first == INPUT else "", fontsize=TILES_TITLE)
        return figure


def draw_row(axes: "Axes", network: Network, row: Row) -> None:
    """Draw connections, then layers, their labels, residual connections and repeated groups."""
    for place, layer in enumerate(network.layers):
        for source in layer.sources:
            if source == place - 1:
                draw_connection(axes, row, network, place)
            else:
                draw_arc(axes, row, source, place)
        for source in layer.added:
            draw_arc(axes, row, source, place + 0.5, "+")
        if layer.repeats[0] > 1:
            draw_repeats(axes, row, place, *layer.repeats)
    if row.first == INPUT:
        draw_layer(axes, row.x(INPUT), network.input_shape)
        label(axes, row.x(INPUT), word("input"), [size_of(network.input_shape, "{count:,} values")])
    for place, layer in enumerate(network.layers):
        if row.has(place):
            lines = [*layer.kinds, size_of(layer.shape, "{count:,} units")]
            if layer.num_parameters:
                lines.append(word("{count:,} parameters", count=layer.num_parameters))
            draw_layer(axes, row.x(place), layer.shape)
            label(axes, row.x(place), layer.name, lines)


def size_of(shape: Sequence[int], numbers: str) -> str:
    """ "6×28×28", "128 units"."""
    return "×".join(map(str, shape)) if len(shape) > 1 else word(numbers, count=math.prod(shape))


def height_of(shape: Sequence[int]) -> float:
    """Half the height of a block, growing with the logarithm of its rows."""
    rows = shape[-2] if len(shape) > 2 else shape[0] if shape else 1
    return min(0.3 + 0.115 * math.log2(max(rows, 1)), HALF)


def half_width(shape: Sequence[int]) -> float:
    """Half the width of a layer with a small gap."""
    if units_of(shape):
        return 0.25
    return 0.25 if len(shape) <= 2 else 0.6 * height_of(shape) + 0.07 * NUM_SHEETS / 2


def units_of(shape: Sequence[int]) -> list[float]:
    """The heights of the units of a layer, from the first at the top; empty if they are too many."""
    if len(shape) != 1 or shape[0] > NUM_UNITS:
        return []
    gap = min(0.5, 2 * HALF / max(shape[0], 1))
    return [gap * ((shape[0] - 1) / 2 - unit) for unit in range(shape[0])]


def draw_layer(axes: "Axes", x: float, shape: Sequence[int]) -> None:
    """Units as circles, feature maps as a stack of sheets, vectors and sequences as bars."""
    from matplotlib.patches import Circle, Rectangle

    half = height_of(shape)
    if units := units_of(shape):
        radius = min(0.17, 0.4 * (units[0] - units[1])) if len(units) > 1 else 0.17
        for y in units:
            axes.add_patch(
                Circle((x, y), radius, facecolor="white", edgecolor=COLORS["fully connected"], linewidth=1.5)
            )
    elif len(shape) > 2:
        sheets = min(1 + round(math.log2(max(shape[0], 1))), NUM_SHEETS)
        for sheet in range(sheets):
            shift = 0.07 * (sheet - (sheets - 1) / 2)
            corner = (x - 0.6 * half + shift, -half - shift)
            box = Rectangle(corner, 1.2 * half, 2 * half, facecolor="white", edgecolor=COLORS["images"], linewidth=1.1)
            axes.add_patch(box)
    else:
        kind = "sequences" if len(shape) == 2 else "fully connected"
        width = 0.44 if kind == "sequences" else 0.2
        corner = (x - width / 2, -half)
        axes.add_patch(Rectangle(corner, width, 2 * half, facecolor="white", edgecolor=COLORS[kind], linewidth=1.5))
        if kind == "sequences":  # A cell for each of the first positions.
            for row in range(1, 4):
                axes.plot(
                    [x - width / 2, x + width / 2], [half - row * half / 2] * 2, color=COLORS[kind], linewidth=0.8
                )


def draw_connection(axes: "Axes", row: Row, network: Network, place: int) -> None:
    """From a layer's predecessor, in this row or another.

    Every connection where both layers are drawn by units, a fan where one is, else an arrow.
    """
    if not (row.has(place) or row.has(place - 1)):
        return
    layer = network.layers[place]
    shapes = [network.layers[place - 1].shape if place else network.input_shape, layer.shape]
    left, right = map(units_of, shapes)
    if not layer.connected or not (left or right) or not (row.has(place) and row.has(place - 1)):
        start, end = row.x(place - 1) + half_width(shapes[0]), row.x(place) - half_width(shapes[1])
        start = start if row.has(place - 1) else row.x(place) - STUB
        end = end if row.has(place) else row.x(place - 1) + STUB
        axes.annotate("", (end, 0), (start, 0), arrowprops={"arrowstyle": "->", "color": DARK_GREY, "linewidth": 1.2})
        return
    heights = [
        units or [-height_of(shape), height_of(shape)] for units, shape in zip((left, right), shapes, strict=True)
    ]
    for start in heights[0]:
        for end in heights[1]:
            axes.plot([row.x(place - 1), row.x(place)], [start, end], color=SILVER, linewidth=0.7, zorder=0)


def draw_arc(axes: "Axes", row: Row, source: float, target: float, mark: str = "") -> None:
    """A connection that passes over layers, above them; to and from the edge of the row where it goes on in another."""
    if not (row.has(source) or row.has(target)):
        return
    start = row.x(source) + 0.28 * COLUMN
    end = row.x(target) - (0 if mark else 0.28 * COLUMN)
    top, color = HALF + 0.12 + 0.1 * min(target - source, 5), OKABE_ITO[1]
    left = [(start, 0), (start, top)] if row.has(source) else [(-STUB, top)]
    right = end if row.has(target) else row.x(row.last) + STUB
    axes.plot(*zip(*left, (right, top), strict=True), color=color, linewidth=1.3, linestyle="--", zorder=0)
    if not row.has(target):
        return
    arrow = {"arrowstyle": "->", "color": color, "linewidth": 1.3, "linestyle": "--", "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (end, 0.12 if mark else 0), (end, top), arrowprops=arrow)
    if mark:
        axes.text(end, 0, mark, ha="center", va="center", fontsize=CAPTION_SIZE, color=color, weight="bold")


def draw_repeats(axes: "Axes", row: Row, place: int, times: int, length: int) -> None:
    """A bracket over the layers of a repeated group, open where it goes on in another row."""
    first, last = max(place, row.first), min(place + length - 1, row.last)
    if first > last:
        return
    left, right = row.x(first) - 0.45 * COLUMN, row.x(last) + 0.45 * COLUMN
    begins, ends = [(left, 1.92)] * row.has(place), [(right, 1.92)] * row.has(place + length - 1)
    axes.plot(*zip(*begins, (left, 2.0), (right, 2.0), *ends, strict=True), color=DARK_GREY, linewidth=1)
    axes.text((left + right) / 2, 2.04, f"× {times}", ha="center", va="bottom", fontsize=CAPTION_SIZE, color=DARK_GREY)


def label(axes: "Axes", x: float, name: str, lines: Sequence[str]) -> None:
    """The name of a layer and facts about it, below it."""
    parts = (
        textwrap.wrap(re.sub(r"(?<=_)|(?=\.)", " ", name), LABEL_CHARACTERS) if len(name) > LABEL_CHARACTERS else [name]
    )
    text = "\n".join([*(part.replace(" ", "") for part in parts), *lines])
    axes.text(x, -HALF - 0.25, text, ha="center", va="top", fontsize=CAPTION_SIZE - 1.5, color=DARK_GREY)
