"""A figure of one layer's attention weights: a panel for each head."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.drawing import make_figure, num_panel_columns
from dltool.figures.style import GAMMA, GREY, IMAGES, LETTER_WIDTH, NOTE_SIZE, SHARES, TILES_TITLE, styled
from dltool.figures.tiles import shortened
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

MOST_HEADS = 12
CELL_INCHES = 0.24
PANEL_INCHES = (1.6, 5.0)  # Minimum and maximum of a side.
MOST_LETTERS = 12
VISIBLE = {" ": "␣", "\n": "↵", "\t": "⇥", "": "∅"}  # Tokens that would be invisible.


def attention_heads(weights: np.ndarray, queries: Sequence[str], keys: Sequence[str], title: str = "") -> "Figure":
    """Draw the weight of each key for each query, with the same color scale for all heads.

    Args:
        weights: `(H, T, S)` in 0 … 1; only the first twelve heads are drawn.
        queries: The T query tokens, downwards.
        keys: The S key tokens, from left to right.
        title: Above the figure.
    """
    from matplotlib.colors import PowerNorm

    heads = weights[:MOST_HEADS]
    down, across = (visible(tokens) for tokens in (queries, keys))
    num_columns = num_panel_columns(len(heads))
    num_rows = math.ceil(len(heads) / num_columns)
    cell = min(CELL_INCHES, PANEL_INCHES[1] / max(len(down), len(across)))
    width, height = (max(PANEL_INCHES[0], cell * len(tokens)) for tokens in (across, down))
    left, top = (LETTER_WIDTH * max(map(len, tokens), default=0) + 0.3 for tokens in (down, across))
    with styled(title, *down, *across, style=IMAGES):
        figure = make_figure(num_columns * (width + left) + 1.0, num_rows * (height + top + 0.4) + 0.9)
        panels = figure.subplots(num_rows, num_columns, squeeze=False).flatten()
        image = None
        for i, axes in enumerate(panels):
            if i >= len(heads):
                axes.set_visible(False)
                continue
            # The root of the weights: 1/64 of 64 keys must differ visibly from 0.
            image = axes.imshow(heads[i], norm=PowerNorm(GAMMA, 0, 1), cmap=SHARES, aspect="auto")
            label_axis(axes.xaxis, across, cell)
            label_axis(axes.yaxis, down, cell)
            axes.tick_params(axis="x", rotation=90 if max(map(len, across), default=0) > 1 else 0)
            axes.tick_params(length=0)
            axes.spines[:].set_visible(True)
            axes.set_title(word("head {number}", number=i + 1), fontsize=NOTE_SIZE)
        if image is not None:
            figure.colorbar(image, ax=panels.tolist(), fraction=0.03, label=word("attention weight"))
        few = word("{title} (the first {shown} of {all} heads)", title=title, shown=len(heads), all=len(weights))
        figure.suptitle(few if len(heads) < len(weights) else title, fontsize=TILES_TITLE)
        figure.supylabel(word("query"), fontsize=NOTE_SIZE, color=GREY)
        figure.supxlabel(word("key"), fontsize=NOTE_SIZE, color=GREY)
        return figure


def visible(tokens: Sequence[str]) -> list[str]:
    """Tokens as labels: white space as signs, long ones cut."""
    return [
        VISIBLE.get(token, shortened(token.replace("\n", "↵").replace("\t", "⇥"), MOST_LETTERS)) for token in tokens
    ]


def label_axis(axis: "Axis", labels: Sequence[str], cell: float) -> None:
    """Label each token, or every second, third, … if they are too close.

    Args:
        axis: An axis of a panel.
        labels: One per token.
        cell: Inches from one to the next.
    """
    size = min(max(60 * cell, 6), 8)  # In points, 72 per inch.
    every = math.ceil(size / 72 / cell)
    axis.set_tick_params(labelsize=size)
    axis.set_ticks(range(0, len(labels), every), labels[::every])
