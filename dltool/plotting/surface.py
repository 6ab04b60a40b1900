"""The error surface of a linear model of two parameters, with the paths of optimizers on it."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from dltool.diagnostics.quadratic import Quadratic
from dltool.diagnostics.store import read_points, read_weights, weight_files
from dltool.figures.surface import Path, distance_picture, surface_picture
from dltool.figures.words import word
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject


class SurfaceFigure:
    """Contours and the surface in three dimensions; each run's weights from step to step, and the minimum."""

    name = "surface"
    summary = "the least-squares surface over the two parameters of a linear model, with each optimizer's path"
    overlays = True

    def lacks(self, subject: Subject) -> str | None:
        if (names := two_parameters(subject.task.model.state_dict())) is None:
            return "its model does not consist of two numbers"
        if subject.spec.target != "numbers" or subject.config["loss"]["name"] not in ("auto", "mse"):
            return "its loss is not the mean squared error"
        if len(names) == 2 and subject.spec.input_shape != (1,):
            return "its inputs are not one number"
        if read_points(subject.folder) is None or not weight_files(subject.folder):
            return "no weights were kept (diagnostics=default keeps them)"
        return None

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        surface = surface_of(subjects[0])
        paths = [path_of(subject) for subject in subjects]
        title = word("mean squared error of {title}", title=subjects[0].title)
        note = subjects[0].note() if len(subjects) == 1 else word("seed {seed}", seed=subjects[0].config["seed"])
        return {
            "surface": partial(surface_picture, surface, paths, title=title, note=note, grid=options.grid),
            "distance": partial(distance_picture, surface, paths, title=title, note=note),
        }


def two_parameters(state: dict[str, Tensor]) -> tuple[str, ...] | None:
    """The names of the tensors that hold a model's two parameters: a weight and a bias, or two weights; else None."""
    sizes = [tensor.numel() for tensor in state.values()]
    return tuple(state) if sizes in ([1, 1], [2]) else None


def surface_of(subject: Subject) -> Quadratic:
    """The surface over the kept training points, in the model's own scale of inputs and targets."""
    kept = read_points(subject.folder)
    assert kept is not None
    x, y = kept["inputs"].double().numpy(), kept["targets"].double().numpy()[:, 0]
    names = two_parameters(subject.task.model.state_dict())
    if names is not None and len(names) == 2:
        return Quadratic.of(np.concatenate([x, np.ones_like(x)], axis=1), y, ("w", "b"))
    return Quadratic.of(x, y, ("w₁", "w₂"))


def path_of(subject: Subject) -> Path:
    """The parameters at each kept step, float64 of the run's own float32."""
    files = weight_files(subject.folder)
    names = list(subject.task.model.state_dict())  # A file has its own order.
    places = [flat([state[name] for name in names]) for state in (read_weights(file) for _, file in files)]
    return Path(subject.label, np.array([step for step, _ in files]), np.stack(places))


def flat(tensors: Sequence[Tensor]) -> np.ndarray:
    """The two parameters, `(2,)`."""
    numbers: np.ndarray = torch.cat([tensor.flatten() for tensor in tensors]).double().numpy()
    return numbers
