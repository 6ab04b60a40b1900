"""The kernels of the first layer as small images."""

import math
from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.drawing import make_figure
from dltool.figures.style import CAPTION_SIZE, DARK_GREY, IMAGES, TILES_TITLE, WEIGHTS, styled
from dltool.figures.tiles import tiled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dltool.figures.tiles import Tiles

MOST_TILES = 256
MOST_CHANNELS = 16
INCHES = 0.62  # Size of a tile.
LARGE_INCHES = 0.9


def kernel_grid(weights: np.ndarray, layer: str, title: str = "", *, whole: bool = False) -> "Figure":
    """Draw a grid of kernels, with 0 in the middle of a scale shared by all of them.

    Kernels over three channels are drawn in color, where grey is 0. Others are black below 0 and white above; with
    several channels, each kernel has a row of them. A kernel's number is the sum of its row's and its column's label.

    Args:
        weights: `(K, C, height, width)`; if there are many kernels, the first ones are drawn.
        layer: Its name.
        title: Above them, before the layer's name.
        whole: Whether each is as large as the image: the weights of a unit of a fully connected layer.
    """
    count, channels, height, width = weights.shape
    in_colors, in_rows = channels == 3, channels not in (1, 3)
    num_columns = min(channels, MOST_CHANNELS) if in_rows else columns_for(min(count, MOST_TILES))
    num_shown = min(count, MOST_TILES // num_columns if in_rows else MOST_TILES)
    shown = weights[:num_shown, : num_columns if in_rows else channels]
    largest = float(np.nan_to_num(np.abs(shown)).max()) or 1.0
    scaled = np.nan_to_num(0.5 + shown / (2 * largest), nan=0.5).clip(0, 1)
    scaled = scaled if in_colors else scaled.reshape(-1, 1, height, width).repeat(3, axis=1)
    images = list(scaled.transpose(0, 2, 3, 1))
    rows = [images[start : start + num_columns] for start in range(0, len(images), num_columns)]
    tiles = tiled(rows, (height, width), gap=0.12)
    inches = LARGE_INCHES if len(images) <= 16 else INCHES
    with styled(title, layer, style=IMAGES):
        scale = inches / max(tiles.height, tiles.width)
        across, down = tiles.pixels.shape[1] * scale, tiles.pixels.shape[0] * scale
        figure = make_figure(max(across + (1.0 if in_colors else 1.9), 4.8), down + 1.4)
        axes = figure.add_subplot()
        image = axes.imshow(tiles.pixels[..., 0] if not in_colors else tiles.pixels, cmap=WEIGHTS, vmin=0, vmax=1)
        number_tiles(axes, tiles, len(rows), num_columns, 1 if in_rows else num_columns)
        some = word(", the first {shown}", shown=num_shown) if num_shown < count else ""
        figure.suptitle(f"{title}\n{layer}: {described(weights.shape, whole)}{some}".strip(), fontsize=TILES_TITLE)
        if in_rows:
            axes.set_title(word("channel"), fontsize=CAPTION_SIZE, color=DARK_GREY)
        if not in_colors:
            bar = figure.colorbar(image, ax=axes, shrink=min(0.9, 2.2 / down), ticks=[0, 0.5, 1], aspect=12)
            bar.ax.set_yticklabels([f"{-largest:.2g}", "0", f"{largest:.2g}"], fontsize=CAPTION_SIZE)
        return figure


def number_tiles(axes: "Axes", tiles: "Tiles", num_rows: int, num_columns: int, step: int) -> None:
    """Number the columns above the tiles, and the rows at their left in steps of `step`."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=CAPTION_SIZE, labelcolor=DARK_GREY, top=True, labeltop=True, bottom=False)
    axes.tick_params(labelbottom=False)
    axes.set_xticks([tiles.middle(0, j)[1] for j in range(num_columns)], [*map(str, range(num_columns))])
    axes.set_yticks([tiles.middle(i, 0)[0] for i in range(num_rows)], [str(step * i) for i in range(num_rows)])


def columns_for(count: int) -> int:
    """The number of columns: the grid is about 1.5 times as wide as high, and the labels are easy to add."""
    return count if count <= 10 else min(16, 2 ** round(math.log2(math.sqrt(1.5 * count))))


def described(shape: tuple[int, ...], whole: bool) -> str:
    """ "64 kernels, 3×5×5"."""
    count, *size = shape
    if whole:
        what = word("the weights of {count} units" if count > 1 else "the weights of {count} unit", count=count)
    else:
        what = word("{count} kernels" if count > 1 else "{count} kernel", count=count)
    return f"{what}, {'×'.join(map(str, size))}"
