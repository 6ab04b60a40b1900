"""Slices through the loss over the weights: a random plane around the last weights, and the plane of the path."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dltool.core.batch import Batch
from dltool.core.randomness import generator
from dltool.diagnostics.store import read_weights, weight_files
from dltool.diagnostics.weight_planes import (
    PathPlane,
    Weights,
    movable,
    move,
    path_plane,
    random_direction,
    weights_of_model,
)
from dltool.engine.evaluator import evaluate
from dltool.figures.plane import Slice, plane_picture
from dltool.figures.words import word
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

GRID = 21
NUM_SAMPLES = 1000  # Training samples on which the loss is evaluated, at least, if there are as many.
LEAST = 3  # Steps whose weights make a plane.


class PlaneFigure:
    """The training loss over a filter-normalised random plane, and over the plane nearest to the path."""

    name = "plane"
    summary = "the training loss over two planes through the last weights: a random one, and that of the path"
    overlays = None

    def lacks(self, subject: Subject) -> str | None:
        if not subject.task.has_objective:
            return "its training does not minimize one loss"
        if len(weight_files(subject.folder)) < LEAST:
            return "no weights were kept (diagnostics=default keeps them)"
        return None if subject.dataset is not None else "its data is not loaded"

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        (subject,) = subjects

        def picture() -> "Figure":
            batches = training_batches(subject)
            num = options.grid or GRID
            slices = [random_slice(subject, batches, num), path_slice(subject, batches, num)]
            count = sum(batch.size for batch in batches)
            note = f"{subject.note()}; {word('loss in evaluation mode on {count:,} training samples', count=count)}"
            return plane_picture(slices[0], slices[1], title=subject.title, note=note)

        return {"plane": picture}


def training_batches(subject: Subject) -> list[Batch]:
    """The first training samples, in batches of an evaluation."""
    assert subject.dataset is not None
    batches: list[Batch] = []
    for batch in subject.dataset().evaluation("train"):
        batches.append(batch)
        if sum(one.size for one in batches) >= NUM_SAMPLES:
            break
    return batches


def loss_of(subject: Subject, batches: Sequence[Batch]) -> float:
    """The loss with the weights that the model has now, as an evaluation computes it."""
    return evaluate(subject.task, batches, "train").get("loss", float("nan"))


def losses_over(
    subject: Subject,
    centre: Weights,
    directions: tuple[Weights, Weights],
    axes: tuple[np.ndarray, np.ndarray],
    loss: Callable[[], float],
) -> np.ndarray:
    """The loss at the nodes of a grid, `(second axis, first axis)`; the model has its weights again afterwards."""
    model = subject.task.model
    with movable(model):
        rows = []
        for second in axes[1].tolist():
            for first in axes[0].tolist():
                move(model, centre, directions, (first, second))
                rows.append(loss())
    return np.array(rows).reshape(len(axes[1]), len(axes[0]))


def random_slice(subject: Subject, batches: Sequence[Batch], num: int, seed: int = 0) -> Slice:
    """The loss over two random directions from the run's last weights, from -1 to 1 times the norm of each filter."""
    centre = weights_of_model(subject.task.model)
    source = generator(seed, "weight plane")
    directions = random_direction(centre, source), random_direction(centre, source)
    axis = np.linspace(-1, 1, num)
    values = losses_over(subject, centre, directions, (axis, axis), lambda: loss_of(subject, batches))
    return Slice(axis, axis, values)


def path_slice(subject: Subject, batches: Sequence[Batch], num: int) -> Slice:
    """The loss over the plane of the kept weights, with the loss of the weights themselves."""
    model = subject.task.model
    files = weight_files(subject.folder)
    names = list(weights_of_model(model))
    path = [{name: state[name].to(next(model.parameters()).device) for name in names} for state in map(
        read_weights, (file for _, file in files))]  # fmt: skip
    plane = path_plane(path)
    true = []
    for _, file in files:
        with subject.with_weights(file):
            true.append(loss_of(subject, batches))
    first, second = (axis_over(plane, place, num) for place in range(2))
    with subject.with_weights(files[-1][1]):
        values = losses_over(subject, path[-1], plane.directions, (first, second), lambda: loss_of(subject, batches))
    places = plane.places.cpu().numpy()
    off = float(plane.distances.max())
    return Slice(first, second, values, places, np.array(true), plane.shares, off)


def axis_over(plane: PathPlane, place: int, num: int) -> np.ndarray:
    """Nodes over the path's coordinates along one direction and a margin."""
    coordinates = plane.places[:, place].cpu().numpy()
    low, high = float(coordinates.min()), float(coordinates.max())
    whole = float(np.ptp(plane.places.cpu().numpy(), axis=0).max()) or 1.0
    margin = max(0.2 * (high - low), 0.1 * whole)
    return np.linspace(low - margin, high + margin, num)
