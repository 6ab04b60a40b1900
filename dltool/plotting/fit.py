"""One number predicted from another: the training points, the fitted curve, the residuals."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dltool.diagnostics.store import read_points
from dltool.figures.fit import FittedCurve, fit_picture
from dltool.figures.words import word
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject, shared_note

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

NUM_NODES = 400
MARGIN = 0.05  # Beyond the points, as a share of their range.


class FitFigure:
    """The curve ŷ(x) of a regression on one number, with residuals; several models on the same data."""

    name = "fit"
    summary = "the curve fitted to one input, with the training points and residuals"
    overlays = "models"

    def lacks(self, subject: Subject) -> str | None:
        if subject.spec.input_shape != (1,) or not subject.preprocessing.input_names:
            return "its input is not one number"
        if subject.spec.target != "numbers" or subject.spec.target_dim != 1 or not subject.task.predicts:
            return "it does not predict one number"
        if read_points(subject.folder) is None:
            return "no training points were kept (diagnostics=default keeps them)"
        return None

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        first = subjects[0]

        def picture() -> "Figure":
            inputs, targets = training_points(first)
            nodes = nodes_over(inputs, options.grid or NUM_NODES)
            curves = [fitted_curve(subject, nodes, inputs, targets) for subject in subjects]
            name = first.preprocessing.input_names[0]
            title = word("fit of {title}", title=first.title if len(subjects) == 1 else first.config["data"]["name"])
            return fit_picture(inputs, targets, curves, input_name=name, title=title, note=shared_note(subjects))

        return {"fit": picture}


def training_points(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """The kept training points in the data's units: inputs `(N,)` and targets `(N,)`, float64."""
    kept = read_points(subject.folder)
    assert kept is not None
    raw = subject.preprocessing.raw_numbers(kept["inputs"])
    assert raw is not None
    return raw[:, 0].numpy(), subject.spec.in_units(kept["targets"])[:, 0].double().numpy()


def nodes_over(inputs: np.ndarray, num: int) -> np.ndarray:
    """Nodes over the range of the inputs and a margin."""
    low, high = float(inputs.min()), float(inputs.max())
    margin = MARGIN * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, num)


def fitted_curve(subject: Subject, nodes: np.ndarray, inputs: np.ndarray, targets: np.ndarray) -> FittedCurve:
    """A run's predictions at nodes and its residuals at the training points, in the data's units."""
    return FittedCurve(subject.label, nodes, predictions(subject, nodes), targets - predictions(subject, inputs))


def predictions(subject: Subject, inputs: np.ndarray) -> np.ndarray:
    """The prediction for each input, `(N,)`, equal to those of `dltool predict`."""
    found: np.ndarray = subject.predict(subject.inputs(inputs[:, None])).outputs[:, 0].double().cpu().numpy()
    return found
