"""Word vectors: their plane with the lines of pairs, the words nearest to offsets, and maps of cosine similarities."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.figures.diverging import diverging
from dltool.figures.drawing import entitle, make_figure
from dltool.figures.label_placement import place_labels
from dltool.figures.style import (
    CAPTION_SIZE,
    DARK_GREY,
    DASHES,
    MARKERS,
    NUMBER_SIZE,
    OKABE_ITO,
    ON_DARK,
    ON_PALE,
    PALE_GREY,
    TILES_TITLE,
    styled,
)
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NUM_OFFSETS = 4  # Drawn.
OFFSET = "c → b - a + c"


class PairGroup(NamedTuple):
    """Pairs of words with the same relation.

    Attributes:
        label: Its name; empty without one.
        pairs: Places of both words in the view's names.
    """

    label: str
    pairs: Sequence[tuple[int, int]]


class Offset(NamedTuple):
    """An offset b - a + c.

    Attributes:
        formula: Such as "king - man + woman".
        answers: The nearest words without a, b and c, each with its cosine.
        expected: The right answer; empty if it is not known.
        start: The place of c in the view's names.
        place: The offset's coordinates in the plane.
    """

    formula: str
    answers: Sequence[tuple[str, float]]
    expected: str
    start: int
    place: tuple[float, float]


class WordsView(NamedTuple):
    """What is drawn of word vectors.

    Attributes:
        names: The words in the plane.
        places: Their coordinates, `(N, 2)`.
        shares: The share of the variance of these words along each axis.
        groups: Pairs that are joined by lines.
        offsets: See Offset.
        one_hot, trained: Cosine similarities of the one-hot and of the trained vectors of the first words, `(K, K)`.
        num_words: The size of the vocabulary.
        dim: The width of a vector.
    """

    names: Sequence[str]
    places: np.ndarray
    shares: tuple[float, float]
    groups: Sequence[PairGroup]
    offsets: Sequence[Offset]
    one_hot: np.ndarray
    trained: np.ndarray
    num_words: int
    dim: int


def words_picture(view: WordsView, *, title: str = "", note: str = "") -> "Figure":
    """Draw the plane at the left, the maps at the right, and below them the words nearest to each offset.

    Args:
        view: What is drawn.
        title: Above the panels.
        note: Small, below them.
    """
    texts = [*view.names, *(one.formula for one in view.offsets), *(group.label for group in view.groups)]
    answers = [name for one in view.offsets for name, _ in one.answers]
    with styled(title, note, *texts, *answers):
        figure = make_figure(15, 7.8 if view.offsets else 6.6)
        source = word(
            "cosines of vectors of length 1; nearest to b - a + c: 3CosAdd (arXiv:1301.3781), a, b, c left out"
        )
        entitle(figure, word("word vectors of {title}", title=title), source, note)
        columns = figure.add_gridspec(1, 2, width_ratios=(7, 7.6))
        right = columns[1].subgridspec(2, 1, height_ratios=(3, 2)) if view.offsets else columns[1].subgridspec(1, 1)
        maps = right[0].subgridspec(1, 2)
        axes = figure.add_subplot(columns[0])
        draw_similarities(figure.add_subplot(maps[0]), view, view.one_hot, word("one-hot: words are orthogonal"))
        draw_similarities(figure.add_subplot(maps[1]), view, view.trained, word("trained vectors"))
        shown = view.offsets[:NUM_OFFSETS]
        if shown:
            bars = right[1].subgridspec(1, len(shown))
            for place, one in enumerate(shown):
                draw_answers(figure.add_subplot(bars[place]), one)
        draw_plane(axes, view)
        return figure


def draw_plane(axes: "Axes", view: WordsView) -> None:
    """Draw the words at their coordinates, the lines of pairs, and a star at each offset."""
    x, y = view.places.T
    axes.plot(x, y, ".", color=PALE_GREY if view.groups else OKABE_ITO[0], markersize=6)
    for place, group in enumerate(view.groups):
        color, marker, dash = OKABE_ITO[place % 8], MARKERS[place % 8], DASHES[place % 4]
        for pair in group.pairs:
            ends = list(pair)
            axes.plot(x[ends], y[ends], dash, color=color, linewidth=1.2, marker=marker, markersize=4.5)
        if group.label:
            axes.plot([], [], dash, color=color, linewidth=1.2, marker=marker, markersize=4.5, label=group.label)
    for one in view.offsets:
        across, up = (x[one.start], one.place[0]), (y[one.start], one.place[1])
        axes.plot(across, up, ":", color="black", linewidth=1)
        axes.plot(*one.place, "*", color=OKABE_ITO[4], markeredgecolor="black", markersize=11)
    if view.offsets:
        axes.plot([], [], "*", color="black", markerfacecolor=OKABE_ITO[4], markersize=10, label=OFFSET)
    facts = {"count": len(view.names), "all": view.num_words, "dim": view.dim}
    title = word("{count} of {all:,} tokens: principal components of {dim} numbers", **facts)
    axes.set_title(title, fontsize=TILES_TITLE)
    axes.set_xlabel(word("first principal direction ({share:.1f} % of the variance)", share=100 * view.shares[0]))
    axes.set_ylabel(word("second principal direction ({share:.1f} %)", share=100 * view.shares[1]))
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="upper left", frameon=True, framealpha=0.85)
    axes.margins(0.09)
    stars = np.array([one.place for one in view.offsets]).reshape(-1, 2)
    place_labels(axes, np.concatenate([view.places, stars]), [*view.names, *(one.formula for one in view.offsets)])


def draw_similarities(axes: "Axes", view: WordsView, values: np.ndarray, title: str) -> None:
    """Draw a map of cosine similarities with their numbers."""
    names = view.names[: len(values)]
    template = "{:.0f}" if np.isin(values, (0, 1)).all() else "{:.2f}"
    axes.imshow(values, cmap=diverging(), vmin=-1, vmax=1)
    for (row, column), value in np.ndenumerate(values):
        axes.text(
            column,
            row,
            template.format(value).replace("0.", "."),
            ha="center",
            va="center",
            fontsize=NUMBER_SIZE,
            color=ON_DARK if value < -0.6 else ON_PALE,
        )
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor", fontsize=CAPTION_SIZE)
    axes.set_yticks(range(len(names)), names, fontsize=CAPTION_SIZE)
    axes.set_title(title, fontsize=TILES_TITLE)
    axes.grid(visible=False)


def draw_answers(axes: "Axes", offset: Offset) -> None:
    """Draw the cosines of the nearest words as bars; the expected word has a frame and a check mark."""
    names = [name for name, _ in offset.answers]
    values = [value for _, value in offset.answers]
    places = np.arange(len(names))
    bars = axes.barh(places, values, color=OKABE_ITO[5], edgecolor=DARK_GREY, linewidth=0.6)
    for bar, name in zip(bars, names, strict=True):
        if name == offset.expected:
            bar.set(hatch="///", edgecolor="black", linewidth=1.4)
    marked = [f"{name} ✓" if name == offset.expected else name for name in names]
    axes.set_yticks(places, marked)
    axes.invert_yaxis()
    axes.set_xlabel(word("cosine"))
    axes.set_title(offset.formula, fontsize=TILES_TITLE)
    axes.grid(visible=False, axis="y")
