"""The loss over the two parameters of a model, with the paths of optimizers on it."""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from dltool.diagnostics.loss_surface import LossSurface
from dltool.diagnostics.quadratic import Quadratic
from dltool.diagnostics.store import NUM_POINTS, read_points, read_weights, weight_files
from dltool.figures.step_sizes import step_sizes_picture
from dltool.figures.surface import GRID, Path, distance_picture, surface_picture, window
from dltool.figures.words import word
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.step_sizes import step_sizes_of
from dltool.plotting.subject import Subject, shared_note, shared_title

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

COMPUTED_GRID = 61  # Nodes along each axis where the model computes each of them.
MARGIN = 1.4  # Of the window around 0 of a surface that has no closed form.
FURTHEST = 5  # A path that diverges is cut at so many times the largest starting value.
ALL = 10**12  # Samples.
NUM_LISTED = 4  # Minima in the line below the panels.
TOLERANCE = 1e-9
Outputs = Callable[[Tensor], Tensor]  # Parameters `(2,)` to outputs `(N, output_dim)`, float64.


class SurfaceFigure:
    """Contours and the surface in three dimensions; each run's weights from step to step, and the minima."""

    name = "surface"
    summary = "the loss over the two parameters of a model, with each optimizer's path"
    overlays = "paths"

    def lacks(self, subject: Subject) -> str | None:
        if two_parameters(subject) is None:
            return "its model does not consist of two numbers"
        if not subject.task.has_objective:
            return "its training does not minimize one loss"
        if read_points(subject.folder) is None or not weight_files(subject.folder):
            return "no weights were kept (diagnostics=default keeps them)"
        return None if is_measured(subject) else "its loss does not follow from predictions and targets"

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        paths = [path_of(subject) for subject in subjects]
        surface = surface_of(subjects[0], paths)
        title = word("{quantity} of {title}", quantity=word(surface.quantity), title=subjects[0].title)
        note = shared_note(subjects)
        if isinstance(surface, LossSurface):
            corners, grid = surface.corners, options.grid or COMPUTED_GRID
        else:
            corners, grid = window(surface, paths), options.grid or GRID
        facts = facts_of(surface)
        drawings: dict[str, Callable[[], Figure]] = {
            "surface": partial(
                surface_picture, surface, paths, corners, facts=facts, title=title, note=note, grid=grid
            ),
            "distance": partial(distance_picture, surface, paths, title=title, note=note),
        }
        trainings = [step_sizes_of(subject, surface) for subject in subjects]
        if all(len(one.steps) for one in trainings):
            title = word("steps of {title}", title=shared_title(subjects))
            drawings["step_sizes"] = partial(step_sizes_picture, surface.names, trainings, title=title, note=note)
        return drawings


def facts_of(surface: Quadratic | LossSurface) -> str:
    """The largest rate of a quadratic; the minima of another surface."""
    if isinstance(surface, LossSurface):
        if not len(surface.minima):
            first, second = surface.minimum
            return word(
                "no isolated minimum in this window; lowest place: {place}", place=f"({first:.3g}, {second:.3g})"
            )
        places = ", ".join(f"({first:.3g}, {second:.3g})" for first, second in surface.minima[:NUM_LISTED])
        more = ", …" if len(surface.minima) > NUM_LISTED else ""
        return word("minima found in this window: {places}", places=places + more)
    return word(
        "gradient descent converges for rates below 2/λ_max = {rate:.3g}; condition number {condition:.3g}",
        rate=surface.largest_rate,
        condition=surface.condition,
    )


def two_parameters(subject: Subject) -> tuple[str, str] | None:
    """The names of a model's two parameters: a weight and a bias, or two weights; None for other models."""
    state = subject.task.model.state_dict()
    if [tensor.numel() for tensor in state.values()] not in ([1, 1], [2]):
        return None
    return ("w", "b") if len(state) == 2 and list(state)[1].endswith("bias") else ("w₁", "w₂")


def surface_of(subject: Subject, paths: Sequence[Path] = ()) -> Quadratic | LossSurface:
    """The loss over the training points: in closed form where it is a squared error of a linear model.

    Args:
        subject: A run that lacks nothing.
        paths: The paths to be drawn on it, which determine the window of a surface without a closed form.
    """
    names = two_parameters(subject)
    assert names is not None
    factor = squared_error_factor(subject)
    if factor is not None:
        inputs, targets = training_points(subject, all_of_them=True)
        if (linear := linear_features(model_outputs(subject, inputs))) is not None:
            features, offset = linear
            return Quadratic.of(features, targets[:, 0].double().numpy() - offset, names, factor)
    inputs, targets = training_points(subject)
    outputs, compared = model_outputs(subject, inputs), subject.task.compared

    def loss(theta: Tensor) -> Tensor:
        value = compared(outputs(theta), targets)
        assert value is not None
        return value

    drawn = paths or [path_of(subject)]
    return LossSurface(loss, names, half_around(drawn), [path.places[-1] for path in drawn])


def is_measured(subject: Subject) -> bool:
    """Whether the task computes its loss from the model's outputs and targets."""
    inputs, targets = training_points(subject)
    outputs = model_outputs(subject, inputs[:1])(torch.zeros(2, dtype=torch.float64))
    return subject.task.compared(outputs, targets[:1]) is not None


def training_points(subject: Subject, *, all_of_them: bool = False) -> tuple[Tensor, Tensor]:
    """The kept training points, prepared, float64 inputs and targets; or all training samples, if more can be read."""
    kept = read_points(subject.folder)
    assert kept is not None
    inputs, targets = kept["inputs"], kept["targets"]
    if all_of_them and len(inputs) == NUM_POINTS and subject.training_samples is not None:
        batch = subject.training_samples(ALL)
        inputs, targets = batch.inputs.cpu(), batch.targets.cpu()
    return inputs.double(), targets.double() if targets.is_floating_point() else targets


def model_outputs(subject: Subject, inputs: Tensor) -> Outputs:
    """The outputs of the run's model for the inputs, in float64, as a differentiable function of its parameters."""
    model = copy.deepcopy(subject.task.model).cpu().double().eval()
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}

    def outputs(theta: Tensor) -> Tensor:
        parts = theta.split([shape.numel() for shape in shapes.values()])
        weights = {name: part.view(shape) for part, (name, shape) in zip(parts, shapes.items(), strict=True)}
        found: Tensor = functional_call(model, weights, (inputs,))
        return found

    return outputs


def squared_error_factor(subject: Subject) -> float | None:
    """f where the loss of one number is f (ŷ - y)² and a step follows its mean; None for another loss."""
    if subject.spec.target != "numbers" or subject.spec.target_dim != 1 or subject.spec.output_dim != 1:
        return None
    if subject.config["loss"].get("reduction") == "sum":
        return None
    zero = torch.zeros(1, 1, dtype=torch.float64)
    losses = {r: subject.task.compared(zero + r, zero) for r in (0.5, 1.0, -2.0, 7.0)}
    factors = [float(loss) / r**2 for r, loss in losses.items() if loss is not None]
    return factors[1] if len(factors) == len(losses) and np.ptp(factors) <= TOLERANCE * factors[1] else None


def linear_features(outputs: Outputs) -> tuple[np.ndarray, np.ndarray] | None:
    """φ `(N, 2)` and c `(N,)` where the outputs are φᵀθ + c for every θ; None where they are not linear in θ."""

    def at(first: float, second: float) -> np.ndarray:
        array: np.ndarray = outputs(torch.tensor([first, second], dtype=torch.float64))[:, 0].detach().numpy()
        return array

    constant = at(0, 0)
    features = np.stack([at(1, 0) - constant, at(0, 1) - constant], axis=1)
    for theta in np.random.default_rng(0).normal(scale=3, size=(8, 2)):
        expected = features @ theta + constant
        if np.abs(at(*theta) - expected).max() > TOLERANCE * max(np.abs(expected).max(), 1):
            return None
    return features, constant


def half_around(paths: Sequence[Path]) -> float:
    """Half of the side of a square around 0 with the paths in it, since networks have minima at opposite weights."""
    furthest = FURTHEST * max(1.0, *(float(np.abs(path.places[0]).max()) for path in paths))
    sizes = np.concatenate([np.abs(path.places).max(axis=1) for path in paths])
    return MARGIN * float(max(sizes[sizes <= furthest].max(), 0.5))


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
