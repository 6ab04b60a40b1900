"""A figure that is drawn in the style in which it was created; imports matplotlib."""

import warnings
from typing import Any

import matplotlib
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dltool.figures.fonts import MISSING_GLYPH
from dltool.figures.style import STYLE

KEPT = (*STYLE, "font.family", "axes.unicode_minus")


class StyledFigure(Figure):
    """Keeps matplotlib's settings from when it was created.

    matplotlib creates ticks and lays out panels when a figure is drawn, with the settings at that time. Without this
    class these would be the settings of the code that saves or shows the figure.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._style = {key: matplotlib.rcParams[key] for key in KEPT}
        FigureCanvasAgg(self)

    def draw(self, renderer: RendererBase) -> None:
        with matplotlib.rc_context(self._style), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=MISSING_GLYPH, category=UserWarning)
            super().draw(renderer)
