"""All figures of a run's diagnostics, and how they are written."""

import warnings
from collections.abc import Sequence

from dltool.core.notices import FigureWarning
from dltool.figures.saving import Target, discard, save_animation, save_figure
from dltool.plotting.attack import AttackFigure
from dltool.plotting.boundary import BoundaryFigure
from dltool.plotting.features import FeaturesFigure
from dltool.plotting.figure import Options, RunFigure
from dltool.plotting.fit import FitFigure
from dltool.plotting.functions import FunctionsFigure
from dltool.plotting.game import GameFigure
from dltool.plotting.layers import LayersFigure
from dltool.plotting.memory import MemoryFigure
from dltool.plotting.plane import PlaneFigure
from dltool.plotting.reach import ReachFigure
from dltool.plotting.response import ResponseFigure
from dltool.plotting.stopping import StoppingFigure
from dltool.plotting.subject import Subject
from dltool.plotting.surface import SurfaceFigure
from dltool.plotting.sweep import SweepFigure
from dltool.plotting.weights import WeightsFigure
from dltool.plotting.word_vectors import WordsFigure

FIGURES: Sequence[RunFigure] = (
    LayersFigure(),
    BoundaryFigure(),
    SurfaceFigure(),
    FitFigure(),
    GameFigure(),
    FunctionsFigure(),
    MemoryFigure(),
    ReachFigure(),
    StoppingFigure(),
    SweepFigure(),
    WeightsFigure(),
    WordsFigure(),
)

# Drawn only where `dltool plot` names them, since they take long.
COSTLY: Sequence[RunFigure] = (AttackFigure(), PlaneFigure(), ResponseFigure(), FeaturesFigure())


def draw_all(subject: Subject, folder: Target) -> None:
    """Draw every figure that a run can show, at the end of its training.

    A figure that cannot be drawn causes a warning, since it must not end a training.
    """
    for figure in FIGURES:
        if figure.lacks(subject) is None:
            try:
                write(figure, [subject], folder)
            except Exception as error:
                text = f"the figure {figure.name} could not be drawn: {error}"
                warnings.warn(text, FigureWarning, stacklevel=2)


def write(
    figure: RunFigure, subjects: Sequence[Subject], folder: Target, kind: str = "png", options: Options | None = None
) -> list[str]:
    """Write the files of a figure, and return their names.

    Args:
        figure: The figure.
        subjects: Runs that lack nothing; a single one unless the figure overlays several.
        folder: Created if it does not exist. In a run folder, figures are PNG files.
        kind: "png", "svg" or "pdf"; a film is a GIF.
        options: How it is computed.
    """
    written = []
    for stem, draw in figure.drawings(subjects, options or Options()).items():
        drawn = draw()
        if drawn is None or isinstance(drawn, Sequence):
            name = f"{stem}.gif"
            discard(folder / name)
            save_animation(drawn or [], folder / name)
            written += [name] if drawn and len(drawn) > 1 else []
        else:
            save_figure(drawn, folder / f"{stem}.{kind}")
            written.append(f"{stem}.{kind}")
    return written
