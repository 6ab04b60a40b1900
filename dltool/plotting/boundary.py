"""The predictions of a network with two inputs over the plane, and the outputs of its units."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from dltool.diagnostics.probe import Recording
from dltool.diagnostics.store import read_points
from dltool.figures.boundary import BoundaryView, Points, UnitMaps, boundary_film, boundary_picture
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure
    from PIL.Image import Image

GRID, FILM_GRID = 200, 100  # Nodes along each axis.
MARGIN = 0.15  # Beyond the data, as a share of their range.
NUM_LAYERS, NUM_UNITS = 3, 8  # Shown.
NUM_FRAMES = 48


class Grid(NamedTuple):
    """Nodes in the plane of the two raw inputs.

    Attributes:
        nodes: `(num², 2)`, in the data's units, row by row from the lowest second input.
        num: Nodes along each axis.
        extent: Left, right, bottom, top.
    """

    nodes: np.ndarray
    num: int
    extent: tuple[float, float, float, float]

    def square(self, values: Tensor) -> np.ndarray:
        """Values at the nodes, `(num², …)`, as `(num, num, …)`."""
        array: np.ndarray = values.detach().double().cpu().numpy()
        return array.reshape(self.num, self.num, *array.shape[1:])


def make_grid(points: np.ndarray, num: int) -> Grid:
    """A grid over the points `(N, 2)` and a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = np.maximum(MARGIN * (high - low), 1e-9)
    (left, bottom), (right, top) = low - margin, high + margin
    first, second = np.meshgrid(np.linspace(left, right, num), np.linspace(bottom, top, num))
    return Grid(np.stack([first.ravel(), second.ravel()], axis=1), num, (left, right, bottom, top))


class BoundaryFigure:
    """p(x) over the plane with the line where it is ½, and each unit's output; a GIF of the training."""

    name = "boundary"
    summary = "predictions over the plane of two inputs, unit by unit, and as a film of the training"
    overlays = None

    def lacks(self, subject: Subject) -> str | None:
        if subject.spec.input_shape != (2,) or not subject.preprocessing.input_names:
            return "its inputs are not two numbers"
        if not subject.task.predicts:
            return "it predicts nothing for a point"
        if subject.spec.target == "numbers" and subject.spec.target_dim != 1:
            return "it predicts several numbers"
        if read_points(subject.folder) is None:
            return "no training points were kept (diagnostics=default keeps them)"
        return None

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        (subject,) = subjects
        points = shown_points(subject)

        def picture() -> "Figure":
            grid = make_grid(points.places, options.grid or GRID)
            view, units = boundary_view(subject, grid), unit_maps(subject, grid)
            return boundary_picture(view, points, units, title=subject.title, note=subject.note())

        def film() -> "Sequence[Image]":
            views = film_views(subject, points, options.grid or FILM_GRID)
            return boundary_film(views, points, title=subject.title)

        return {"boundary": picture, "boundary_film": film}


def shown_points(subject: Subject) -> Points:
    """The kept training points in the data's units."""
    kept = read_points(subject.folder)
    assert kept is not None
    raw = subject.preprocessing.raw_numbers(kept["inputs"])
    assert raw is not None
    targets = kept["targets"]
    if subject.spec.target == "numbers":
        targets = subject.spec.in_units(targets)[:, 0]
    return Points(raw.numpy(), targets.numpy(), subject.spec.class_names, subject.preprocessing.input_names)


def boundary_view(subject: Subject, grid: Grid, step: int | None = None) -> BoundaryView:
    """The predictions at the nodes, equal to those of `dltool predict`."""
    found = subject.predict(subject.inputs(grid.nodes))
    if found.labels is None:
        return BoundaryView("numbers", grid.square(found.outputs[:, 0]), None, grid.extent, step)
    labels = grid.square(found.labels)
    if found.probabilities is None:  # Such as a perceptron's, whose output is 0 or 1.
        return BoundaryView("labels", labels, None, grid.extent, step)
    probabilities = grid.square(found.probabilities)
    if subject.spec.target == "binary":
        return BoundaryView("binary", probabilities[:, :, 1], labels, grid.extent, step)
    return BoundaryView("classes", probabilities, labels, grid.extent, step)


def unit_maps(subject: Subject, grid: Grid) -> list[UnitMaps]:
    """The activations of the first units of the first layers over the plane."""
    inputs = subject.inputs(grid.nodes)
    model = subject.task.model
    with evaluation_mode(model), torch.enable_grad(), Recording(model).recording() as calls:
        model.forward(inputs)
    hidden = [call for call in calls if call.a is not None and call.a.ndim == 2][:NUM_LAYERS]
    return [
        UnitMaps(call.name, grid.square(call.a[:, :NUM_UNITS]).transpose(2, 0, 1), call.a.shape[1])
        for call in hidden
        if call.a is not None
    ]


def film_views(subject: Subject, points: Points, num_nodes: int) -> Iterator[BoundaryView]:
    """The predictions with the weights of some steps, in order."""
    grid = make_grid(points.places, num_nodes)
    for step in subject.replayed(NUM_FRAMES):
        yield boundary_view(subject, grid, step)
