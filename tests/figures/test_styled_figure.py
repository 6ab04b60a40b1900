import io
import warnings

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from dltool.figures.drawing import make_figure
from dltool.figures.style import styled


def make() -> Figure:
    with styled("$name"):
        figure = make_figure(3, 2)
        axes = figure.add_subplot()
        axes.plot([0.0, -1.0])
        axes.set_title("$name_$")
        return figure


def drawn(figure: Figure) -> np.ndarray:
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return np.asarray(Image.open(png))


def test_a_figure_looks_the_same_whatever_the_settings_when_it_is_drawn() -> None:
    expected = drawn(make())
    others = {"font.size": 20, "axes.unicode_minus": False, "font.family": ["monospace"], "grid.color": "red"}
    before = dict(matplotlib.rcParams)
    figure = make()
    with matplotlib.rc_context(others):
        assert (drawn(figure) == expected).all()
    assert dict(matplotlib.rcParams) == before


def test_characters_without_a_font_do_not_warn_when_it_is_drawn() -> None:
    with styled():
        figure = make_figure(1, 1)
        figure.suptitle("\U000f0000")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn(figure)
