"""A confusion matrix."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.drawing import make_figure
from dltool.figures.style import GAMMA, IMAGES, NOTE_SIZE, NUMBER_SIZE, ON_DARK, ON_PALE, SHARES, styled
from dltool.figures.words import characters, word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NUMBERS_UP_TO = 30  # Classes; with more, the numbers would be too small to read.
LABELS_UP_TO = 120  # Classes; with more, only every n-th one is labelled.
LONGEST_LABEL = 24


def confusion_matrix(counts: np.ndarray, class_names: Sequence[str], title: str = "") -> "Figure":
    """Draw a confusion matrix, each row coloured by the shares of its class.

    Args:
        counts: `(K, K)`, true class by predicted class.
        class_names: The K names.
        title: Above the matrix, before the accuracy.
    """
    from matplotlib.colors import PowerNorm
    from matplotlib.ticker import PercentFormatter

    num_classes, total = len(counts), counts.sum()
    cell = 0.55 if num_classes <= 12 else 0.42 if num_classes <= NUMBERS_UP_TO else 0.15  # Inches.
    side = min(max(cell * num_classes, 2.2), cell * LABELS_UP_TO)
    names = [name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 1]}…" for name in class_names]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with styled(title, *names, characters(), style=IMAGES):
        margin = 0.008 * label_size(num_classes) * max(map(len, names))  # Inches.
        figure = make_figure(side + 2.1 + margin, side + 1.3 + margin)
        axes = figure.add_subplot()
        image = axes.imshow(shares, cmap=SHARES, norm=PowerNorm(GAMMA, 0, 1), interpolation="nearest")
        label_classes(axes, names)
        if num_classes <= NUMBERS_UP_TO:
            write_counts(axes, counts, shares)
        right = word(
            "{title}: {right:,} of {total:,} right", title=title, right=int(np.trace(counts)), total=int(total)
        )
        axes.set_title(right, loc="left")
        bar = figure.colorbar(image, ax=axes, shrink=0.7, format=PercentFormatter(1), ticks=[0, 0.05, 0.2, 0.5, 1])
        bar.set_label(word("share of the true class"))
        return figure


def label_classes(axes: "Axes", names: Sequence[str]) -> None:
    """Put the names along both axes, rotated below if they are long, only every n-th if they are many."""
    places = range(0, len(names), math.ceil(len(names) / LABELS_UP_TO))
    labels = [names[i] for i in places]
    size = label_size(len(names))
    upright = len(names) > NUMBERS_UP_TO or max(map(len, labels)) > 4
    axes.set_xticks(places, labels, rotation=90 if upright else 0, fontsize=size)
    axes.set_yticks(places, labels, fontsize=size)
    axes.tick_params(length=0 if len(names) <= NUMBERS_UP_TO else 2)
    axes.set_xlabel(word("predicted class"))
    axes.set_ylabel(word("true class"))
    axes.spines[:].set_visible(True)


def label_size(num_classes: int) -> int:
    """The font size of the class names, in points."""
    return NOTE_SIZE if num_classes <= NUMBERS_UP_TO else NUMBER_SIZE


def write_counts(axes: "Axes", counts: np.ndarray, shares: np.ndarray) -> None:
    """Write the counts into the cells; a 0 is left out."""
    digits = len(str(counts.max()))
    size = min(10.0, (38 if len(counts) <= 12 else 30) / max(digits, 2.5))
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = ON_DARK if shares[row, column] ** GAMMA > 0.6 else ON_PALE
            axes.text(column, row, str(count), ha="center", va="center", fontsize=size, color=color)
