"""The feature maps of each layer for one image."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.core.spacing import evenly
from dltool.figures.drawing import make_figure
from dltool.figures.style import GREY, IMAGES, LETTER_WIDTH, MAPS, NOTE_SIZE, NUMBER_SIZE, TILES_TITLE, styled
from dltool.figures.tiles import colors, shortened, tiled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

MOST_LAYERS = 8
MAPS_A_LAYER = 8
INCHES = 1.15  # Size of a map.


class LayerMaps(NamedTuple):
    """The feature maps of a layer for an image.

    Attributes:
        name: The layer's path.
        kind: Its class.
        maps: `(C, H, W)`.
    """

    name: str
    kind: str
    maps: np.ndarray


def feature_map_rows(image: np.ndarray, layers: Sequence[LayerMaps], title: str = "", class_name: str = "") -> "Figure":
    """Draw the image, and below it a row of maps for each layer.

    Args:
        image: `(C, H, W)` of 0 … 255.
        layers: In order; of more than eight, an evenly spaced selection is drawn, and likewise of each layer's maps.
        title: Above the figure.
        class_name: The class of the image.
    """
    layers = evenly(layers, MOST_LAYERS)
    chosen = [evenly(range(len(layer.maps)), MAPS_A_LAYER) for layer in layers]
    rows = [[colors(image[None])[0]]]
    rows += [[as_heat(layer.maps[i]) for i in places] for layer, places in zip(layers, chosen, strict=True)]
    tiles = tiled(rows, (image.shape[1], image.shape[2]), gap=0.17)
    labels = [f"{word('input')}\n{shortened(class_name, 24)}" if class_name else word("input")]
    labels += [f"{layer.name}\n{layer.kind}  {'×'.join(map(str, layer.maps.shape))}" for layer in layers]
    with styled(title, *labels, style=IMAGES):
        scale = INCHES / max(tiles.height, tiles.width)
        across, down = tiles.pixels.shape[1] * scale, tiles.pixels.shape[0] * scale
        margin = LETTER_WIDTH * max(len(line) for label in labels for line in label.split("\n"))
        figure = make_figure(across + margin + 0.4, down + 1.3)
        axes = figure.add_subplot()
        axes.imshow(tiles.pixels, interpolation="nearest")
        axes.spines[:].set_visible(False)
        axes.set_xticks([])
        axes.set_yticks([tiles.middle(i, 0)[0] for i in range(len(rows))], labels, fontsize=NOTE_SIZE)
        axes.tick_params(length=0)
        for i, places in enumerate(chosen, start=1):
            for j, place in enumerate(places):
                top, left = tiles.corner(i, j)
                where = (left + tiles.width / 2, top + tiles.height + 0.02 * tiles.height)
                axes.text(*where, str(place), ha="center", va="top", fontsize=NUMBER_SIZE, color=GREY)
        figure.suptitle(title, fontsize=TILES_TITLE)
        legend = word("some maps of each layer, each from its minimum (dark) to its maximum")
        figure.supxlabel(legend, fontsize=NOTE_SIZE, color=GREY)
        return figure


def as_heat(values: np.ndarray) -> np.ndarray:
    """A map `(H, W)` in colors, `(H, W, 3)`; a constant map is dark."""
    import matplotlib

    values = np.nan_to_num(values)
    low, high = values.min(), values.max()
    heat: np.ndarray = matplotlib.colormaps[MAPS]((values - low) / max(high - low, 1e-12))[..., :3]
    return heat.astype(np.float32)
