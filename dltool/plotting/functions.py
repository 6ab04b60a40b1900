"""The activations of a model with the values that it feeds them, and its loss with the residuals or margins it has."""

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.errors import DltoolError
from dltool.diagnostics.layer_statistics import FLAT, slope_of
from dltool.diagnostics.probe import LayerCall, Probe
from dltool.figures.functions import ActivationView, LossView, functions_picture
from dltool.figures.words import word
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

NUM_SAMPLES = 256
NUM_NODES = 401
NUM_ACTIVATIONS = 4  # Drawn.
NUM_VALUES = 100_000  # Of a histogram.


class FunctionsFigure:
    """g and g' of each activation with the histogram of its inputs z; the loss with its residuals or margins."""

    name = "functions"
    summary = "each activation and its slope with a histogram of z; the loss over the residual or the margin"
    overlays = None

    def lacks(self, subject: Subject) -> str | None:
        if subject.training_samples is None:
            return "its training samples are not known"
        try:
            subject.training_samples(1)
        except DltoolError as error:
            return error.message
        return None

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        (subject,) = subjects

        def picture() -> "Figure | None":
            batch = training_batch(subject)
            views = activation_views(activated_calls(subject, batch))
            loss = loss_view(subject, batch)
            if not views and loss is None:
                return None
            note = f"{subject.note()}; {word('{count:,} training samples', count=batch.size)}"
            return functions_picture(views[:NUM_ACTIVATIONS], loss, title=subject.title, note=note)

        return {"functions": picture}


def training_batch(subject: Subject) -> Batch:
    """The first training samples."""
    assert subject.training_samples is not None
    batch = subject.training_samples(NUM_SAMPLES)
    count = min(batch.size, NUM_SAMPLES)
    return Batch(batch.inputs[:count], batch.targets[:count], count)


def activated_calls(subject: Subject, batch: Batch) -> list[LayerCall]:
    """The calls of layers with an activation, in a training step that changes nothing."""
    roles = {role: contextlib.nullcontext() for role in subject.task.roles}
    measured = Probe(subject.task, batch, roles, batch.inputs.device).measure()
    return [call for role in measured.values() for call in role.calls if call.activation is not None]


def activation_views(calls: Sequence[LayerCall]) -> list[ActivationView]:
    """One for each kind of activation, in the order of the computation."""
    kinds: dict[str, list[LayerCall]] = {}
    for call in calls:
        kinds.setdefault(call.activation_name, []).append(call)
    return [activation_view(name, group) for name, group in kinds.items()]


def activation_view(name: str, calls: Sequence[LayerCall]) -> ActivationView:
    """The values of all layers with the same activation."""
    z = torch.cat([call.preactivation.detach().float().flatten() for call in calls if call.preactivation is not None])
    slopes = torch.cat([slope_of(call).flatten() for call in calls])
    flat = float((slopes.abs() < FLAT).float().mean())
    values = z[:: max(len(z) // NUM_VALUES, 1)].cpu().numpy()
    reach = float(np.clip(np.percentile(np.abs(values), 99.5), 3, 50))
    nodes = torch.linspace(-reach, reach, NUM_NODES, device=z.device)
    g, slope = curve(calls[0], nodes)
    return ActivationView(name, nodes.cpu().numpy(), g, slope, values, flat)


def curve(call: LayerCall, nodes: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """g and g' of a call's activation at nodes `(N,)`; g' by autograd."""
    assert call.activation is not None
    at_nodes = LayerCall(call.name, call.module, nodes, activation=call.activation, preactivation=nodes.clone())
    with torch.no_grad():
        g = call.activation(nodes)
    return g.detach().cpu().numpy(), slope_of(at_nodes).cpu().numpy()


def loss_view(subject: Subject, batch: Batch) -> LossView | None:
    """The run's loss over the residual of one number, or over the margin of a class; None for other tasks."""
    target = subject.spec.target
    if not subject.task.predicts or target not in ("numbers", "binary", "classes") or batch.targets.ndim > 2:
        return None
    if target == "numbers" and batch.targets.shape[1:] != (1,):
        return None
    with evaluation_mode(subject.task.model), torch.no_grad():
        outputs = subject.task.model(batch.inputs).float()
    if outputs.ndim != 2:
        return None
    seen = (outputs - batch.targets if target == "numbers" else margins(outputs, batch.targets)).flatten()
    values = seen.cpu().numpy()
    low, high = min(-3.0, np.percentile(values, 0.5)), max(3.0, np.percentile(values, 99.5))
    nodes = torch.linspace(float(low), float(high), NUM_NODES)
    losses = [loss_at(subject, outputs[:1], float(node)) for node in nodes]
    if any(loss is None for loss in losses):
        return None
    kind = "residual ŷ - y" if target == "numbers" else "margin of the true class (other scores equal)"
    return LossView(subject.config["loss"]["name"], kind, nodes.numpy(), np.array(losses, dtype=np.float64), values)


def margins(outputs: Tensor, labels: Tensor) -> Tensor:
    """The score of the true class minus the largest other score, `(B,)`.

    A single output `(B, 1)` is the score of class 1, and that of class 0 is 0.
    """
    if outputs.shape[1] == 1:
        return outputs[:, 0] * (2 * labels.flatten().float() - 1)
    true = outputs.gather(1, labels[:, None])
    return true[:, 0] - outputs.scatter(1, labels[:, None], -torch.inf).amax(dim=1)


def loss_at(subject: Subject, like: Tensor, value: float) -> float | None:
    """The loss of one sample with a residual or a margin; the scores of all wrong classes are 0."""
    outputs = torch.zeros_like(like)
    if subject.spec.target == "numbers":
        outputs[0, 0] = value
        return subject.task.measure(outputs, torch.zeros_like(like)).get("loss")
    label = 1 if like.shape[1] == 1 else 0
    outputs[0, 0] = value
    return subject.task.measure(outputs, torch.tensor([label], device=like.device)).get("loss")
