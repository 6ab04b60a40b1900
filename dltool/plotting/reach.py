"""How far back the gradients of several recurrent networks reach, in one picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.figures.gradient_over_time import gradient_by_distance
from dltool.figures.words import word
from dltool.introspection.gradient_over_time import gradient_over_time, relative_quartiles
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

NUM_SEQUENCES = 64  # Training samples.


class ReachFigure:
    """The gradient of the loss by the distance from the end of the sequence, a line for each run."""

    name = "reach"
    summary = "the gradient of the loss over the steps before the last, of several recurrent networks: RNN, LSTM, GRU"
    overlays = "models"

    def lacks(self, subject: Subject) -> str | None:
        if not any(isinstance(module, nn.RNNBase) for module in subject.task.model.modules()):
            return "its model is not recurrent"
        if not subject.task.has_objective:
            return "its training does not minimize one loss"
        if subject.spec.padded:
            return "its sequences differ in length"
        return None if subject.difference else "it compares several runs; plots/gradient_over_time.png shows one"

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        title = word("how far back the gradient reaches: {title}", title=subjects[0].config["data"]["name"])

        def draw() -> "Figure":
            bands = {subject.label: relative_quartiles(norms_of(subject)) for subject in subjects}
            return gradient_by_distance({name: band for name, band in bands.items() if band is not None}, title)

        return {"reach": draw}


def norms_of(subject: Subject) -> Tensor:
    """The norm of the gradient at each position of the first training samples, `(B, T)`."""
    assert subject.training_samples is not None
    batch = subject.training_samples(NUM_SEQUENCES)
    inputs, targets = batch.inputs[:NUM_SEQUENCES], batch.targets[:NUM_SEQUENCES]

    def loss(inputs: Tensor) -> Tensor:
        with torch.enable_grad():
            return subject.task.loss(Batch(inputs, targets, len(targets))).mean

    return gradient_over_time(subject.task.model, loss, inputs).cpu()
