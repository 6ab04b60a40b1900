"""Labels of near points do not overlap."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Text

from dltool.figures.drawing import make_figure
from dltool.figures.label_placement import place_labels
from dltool.figures.style import styled


@pytest.mark.parametrize("spread", [0.0, 0.01, 1.0])
def test_labels_do_not_overlap(spread: float) -> None:
    places = spread * np.random.default_rng(0).normal(size=(6, 2))
    with styled():
        figure = make_figure(5, 4)
        axes = figure.add_subplot()
        axes.plot(*places.T, "o")
        place_labels(axes, places, [f"word {i}" for i in range(6)])
        figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in axes.texts]  # Without the lines to the points.
    assert len(boxes) == 6
    for one, other in combinations(boxes, 2):
        assert not (one.padded(-1).overlaps(other.padded(-1)))
