"""Networks as diagrams: units with their connections where they are few, blocks with shapes where they are many."""

import math
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


def diagram(networks: Sequence[Network], *, title: str = "", note: str = "") -> "Figure":
    """Draw each network in a row, from the input at the left to the output at the right.

    Args:
        networks: At least one.
        title: Above them.
        note: Small, below them.
    """
    names = [layer.name for network in networks for layer in network.layers]
    with styled(title, note, *names, *(network.name for network in networks), style={"axes.grid": False}):
        widest = max(len(network.layers) for network in networks) + 1
        figure = make_figure(max(1 + COLUMN * widest, 6.5), 0.9 + 4.6 * len(networks))
        entitle(figure, title, note)
        for place, network in enumerate(networks):
            axes = figure.add_subplot(len(networks), 1, place + 1)
            draw_network(axes, network)
            axes.set_xlim(-0.6 * COLUMN, (widest - 0.4) * COLUMN)
            axes.set_ylim(-3.1, 2.1)
            axes.set_aspect("equal")
            axes.set_axis_off()
            axes.set_title(network.name, fontsize=TILES_TITLE)
        return figure


def draw_network(axes: "Axes", network: Network) -> None:
    """Draw connections, then layers, their labels, residual connections and repeated groups."""
    shapes = [network.input_shape, *(layer.shape for layer in network.layers)]
    for place, layer in enumerate(network.layers):
        for source in layer.sources:
            if source == place - 1:
                draw_connection(axes, shapes, place, layer)
            else:
                draw_arc(axes, source, place)
        for source in layer.added:
            draw_arc(axes, source, place + 0.5, "+")
        if layer.repeats[0] > 1:
            draw_repeats(axes, place, *layer.repeats)
    for column, shape in enumerate(shapes):
        draw_layer(axes, column * COLUMN, shape)
    label(axes, 0, word("input"), [size_of(network.input_shape, "{count:,} values")])
    for place, layer in enumerate(network.layers):
        lines = [*layer.kinds, size_of(layer.shape, "{count:,} units")]
        if layer.num_parameters:
            lines.append(word("{count:,} parameters", count=layer.num_parameters))
        label(axes, x_of(place), layer.name, lines)


def size_of(shape: Sequence[int], numbers: str) -> str:
    """ "6×28×28", "128 units"."""
    return "×".join(map(str, shape)) if len(shape) > 1 else word(numbers, count=math.prod(shape))


def x_of(place: float) -> float:
    """The horizontal position of a layer; the input is at 0."""
    return (place + 1) * COLUMN


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


def draw_connection(axes: "Axes", shapes: Sequence[Sequence[int]], place: int, layer: Layer) -> None:
    """Every connection where both layers are drawn by units, a fan where one is, else an arrow."""
    left, right = units_of(shapes[place]), units_of(shapes[place + 1])
    if not layer.connected or not (left or right):
        ends = (x_of(place - 1) + half_width(shapes[place]), x_of(place) - half_width(shapes[place + 1]))
        arrow = {"arrowstyle": "->", "color": DARK_GREY, "linewidth": 1.2}
        axes.annotate("", (ends[1], 0), (ends[0], 0), arrowprops=arrow)
        return
    heights = [
        units or [-height_of(shape), height_of(shape)]
        for units, shape in zip((left, right), shapes[place : place + 2], strict=True)
    ]
    for start in heights[0]:
        for end in heights[1]:
            axes.plot([x_of(place - 1), x_of(place)], [start, end], color=SILVER, linewidth=0.7, zorder=0)


def draw_arc(axes: "Axes", source: float, target: float, mark: str = "") -> None:
    """A connection that passes over layers, above them."""
    start, end = x_of(source) + 0.28 * COLUMN, x_of(target)
    if not mark:
        end -= 0.28 * COLUMN
    top = HALF + 0.12 + 0.1 * min(target - source, 5)
    axes.plot([start, start, end], [0, top, top], color=OKABE_ITO[1], linewidth=1.3, linestyle="--", zorder=0)
    arrow = {
        "arrowstyle": "->",
        "color": OKABE_ITO[1],
        "linewidth": 1.3,
        "linestyle": "--",
        "shrinkA": 0,
        "shrinkB": 0,
    }
    axes.annotate("", (end, 0.12 if mark else 0), (end, top), arrowprops=arrow)
    if mark:
        axes.text(end, 0, mark, ha="center", va="center", fontsize=CAPTION_SIZE, color=OKABE_ITO[1], weight="bold")


def draw_repeats(axes: "Axes", place: int, times: int, length: int) -> None:
    """A bracket over the layers of a repeated group."""
    left, right = x_of(place) - 0.45 * COLUMN, x_of(place + length - 1) + 0.45 * COLUMN
    axes.plot([left, left, right, right], [1.78, 1.86, 1.86, 1.78], color=DARK_GREY, linewidth=1)
    axes.text((left + right) / 2, 1.9, f"× {times}", ha="center", va="bottom", fontsize=CAPTION_SIZE, color=DARK_GREY)


def label(axes: "Axes", x: float, name: str, lines: Sequence[str]) -> None:
    """The name of a layer and facts about it, below it."""
    wrapped = textwrap.wrap(name.replace(".", " ."), LABEL_CHARACTERS) if len(name) > LABEL_CHARACTERS else [name]
    text = "\n".join([*(line.replace(" .", ".") for line in wrapped), *lines])
    axes.text(x, -HALF - 0.25, text, ha="center", va="top", fontsize=CAPTION_SIZE - 1.5, color=DARK_GREY)
