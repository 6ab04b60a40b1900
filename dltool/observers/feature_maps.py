"""A picture of what each layer makes of one image."""

from collections.abc import Sequence

import numpy as np

from dltool.figures.drawing import STYLE, Target, make_figure, save_figure
from dltool.figures.fonts import fonts_for
from dltool.figures.tiles import colors, shortened, tiled
from dltool.introspection.layers import Maps, evenly

MOST_LAYERS = 8
MAPS_A_LAYER = 8
INCHES = 1.15  # Of a map.
LETTER_INCHES = 0.085  # Of a label.


def draw_feature_maps(image: np.ndarray, layers: Sequence[Maps], path: Target, title: str = "", name: str = "") -> None:
    """Draw the image, and below it a row of maps for each layer.

    Args:
        image: `(C, H, W)` of 0 … 255.
        layers: In order; of more than eight, some at even distances; the same of the maps of each.
        path: Of the PNG; its folder is made.
        title: Above the picture.
        name: Of the image's class.
    """
    import matplotlib

    layers = evenly(layers, MOST_LAYERS)
    chosen = [evenly(range(len(layer.maps)), MAPS_A_LAYER) for layer in layers]
    rows = [[colors(image[None])[0]]]
    rows += [[as_heat(layer.maps[i].numpy()) for i in places] for layer, places in zip(layers, chosen, strict=True)]
    tiles = tiled(rows, (image.shape[1], image.shape[2]), gap=0.17)
    labels = [f"input\n{shortened(name, 24)}" if name else "input"]
    labels += [f"{layer.name}\n{layer.kind}  {'×'.join(map(str, layer.maps.shape))}" for layer in layers]
    with fonts_for(title, *labels), matplotlib.rc_context({**STYLE, "axes.grid": False}):
        scale = INCHES / max(tiles.height, tiles.width)
        across, down = tiles.pixels.shape[1] * scale, tiles.pixels.shape[0] * scale
        beside = LETTER_INCHES * max(len(line) for label in labels for line in label.split("\n"))
        figure = make_figure(across + beside + 0.4, down + 1.3)
        axes = figure.add_subplot()
        axes.imshow(tiles.pixels, interpolation="nearest")
        axes.spines[:].set_visible(False)
        axes.set_xticks([])
        axes.set_yticks([tiles.middle(i, 0)[0] for i in range(len(rows))], labels, fontsize=10)
        axes.tick_params(length=0)
        for i, places in enumerate(chosen, start=1):
            for j, place in enumerate(places):
                top, left = tiles.corner(i, j)
                where = (left + tiles.width / 2, top + tiles.height + 0.02 * tiles.height)
                axes.text(*where, str(place), ha="center", va="top", fontsize=7, color="#808080")
        figure.suptitle(title, fontsize=13)
        figure.supxlabel(
            "some maps of each layer, each from its least value (dark) to its largest", fontsize=10, color="#808080"
        )
        save_figure(figure, path)


def as_heat(values: np.ndarray) -> np.ndarray:
    """A map `(H, W)` in colors, `(H, W, 3)`; one that is the same everywhere is dark."""
    import matplotlib

    values = np.nan_to_num(values)
    low, high = values.min(), values.max()
    heat: np.ndarray = matplotlib.colormaps["viridis"]((values - low) / max(high - low, 1e-12))[..., :3]
    return heat.astype(np.float32)
