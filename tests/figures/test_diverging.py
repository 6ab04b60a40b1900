from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.colors import Colormap, to_rgba

from dltool.figures.diverging import DARK, HIGH, LOW, NUM_MARKED, PALE_COLORS, diverging, mark_negative, pale_diverging
from dltool.figures.drawing import make_figure
from dltool.figures.style import ON_DARK

GREY = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, of a print without colours.


@pytest.mark.parametrize(("colours", "ends"), [(diverging, (LOW, HIGH)), (pale_diverging, PALE_COLORS[::4])])
def test_the_ends_differ_in_grey_and_the_middle_is_white(
    colours: Callable[[], Colormap], ends: tuple[str, str]
) -> None:
    low, middle, high = colours()([0.0, 0.5, 1.0])[:, :3]
    assert abs(GREY @ (high - low)) > 0.25
    np.testing.assert_allclose(middle, 1, atol=0.02)
    np.testing.assert_allclose([low, high], [to_rgba(end)[:3] for end in ends])


def test_each_negative_cell_has_a_mark() -> None:
    values = np.array([[1.0, -0.2, 0.0], [-1.0, 0.5, -0.7]])
    axes = make_figure(3, 2).add_subplot()
    axes.imshow(values)
    assert mark_negative(axes, values, 1.0)
    marks = {
        (segment[:, 1].mean(), segment[:, 0].mean()): tuple(lines.get_color()[0])
        for lines in axes.collections
        for segment in lines.get_segments()
    }
    assert marks.keys() == {(row, column) for row, column in np.argwhere(values < 0)}
    assert {place for place, color in marks.items() if color == to_rgba(ON_DARK)} == {
        (row, column) for row, column in np.argwhere(values < -DARK)
    }


def test_maps_without_marks() -> None:
    axes = make_figure(3, 2).add_subplot()
    assert not mark_negative(axes, np.ones((2, 2)), 1.0)
    assert not mark_negative(axes, -np.ones((1, NUM_MARKED + 1)), 1.0)
    assert not axes.collections
