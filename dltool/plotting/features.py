"""The inputs and the last hidden layer of a classifier on held-out samples, each in the plane of its components."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.diagnostics.probe import Recording, weights_of
from dltool.figures.features import FeaturesPanel, features_picture
from dltool.figures.words import word
from dltool.inference.evaluation import chosen_split
from dltool.introspection.principal_components import principal_plane
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

NUM_SAMPLES = 1000  # Held-out samples, at most.
NUM_CLASSES = 64  # With different colours and markers.


class FeaturesFigure:
    """Principal components of a classifier's inputs and of what its last layer gets, coloured by class."""

    name = "features"
    summary = "held-out samples by class: principal components of the inputs, and of the last hidden layer"
    overlays = None

    def lacks(self, subject: Subject) -> str | None:
        if not subject.task.predicts_classes:
            return "it does not classify"
        if len(subject.spec.class_names) > NUM_CLASSES:
            return f"it has more than {NUM_CLASSES} classes"
        if sum(bool(weights_of(module)) for module in subject.task.model.modules()) < 2:
            return "its model has no hidden layer"
        return None if subject.dataset is not None else "its data is not loaded"

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        (subject,) = subjects
        del options  # There is no map.

        def picture() -> "Figure | None":
            split, batch = held_out(subject)
            found = features_of(subject.task.model, batch.inputs)
            if found is None:
                return None
            layer, features = found
            panels = [panel(features, layer)]
            if batch.inputs.is_floating_point():
                panels.insert(0, panel(batch.inputs.flatten(1), ""))
            note = f"{subject.note()}; {word('{count:,} samples ({split})', count=batch.size, split=word(split))}"
            names = subject.spec.class_names
            return features_picture(
                panels, batch.targets.flatten().cpu().numpy(), names, title=subject.title, note=note
            )

        return {"features": picture}


def held_out(subject: Subject) -> tuple[str, Batch]:
    """The split of the figure, and its first samples."""
    assert subject.dataset is not None
    dataset = subject.dataset()
    split = chosen_split("auto", dataset, own=True)
    batch = dataset.first_batch(split, NUM_SAMPLES)
    count = min(batch.size, NUM_SAMPLES)
    return split, Batch(batch.inputs[:count], batch.targets[:count], count)


def features_of(model: nn.Module, inputs: Tensor) -> tuple[str, Tensor] | None:
    """The name of the last layer with weights, and its inputs `(N, D)`; None if it gets no vector per sample."""
    with evaluation_mode(model), torch.enable_grad(), Recording(model).recording() as calls:
        model.forward(inputs)
    if not calls or calls[-1].inputs is None or calls[-1].inputs.ndim < 2 or len(calls[-1].inputs) != len(inputs):
        return None
    return calls[-1].name, calls[-1].inputs.flatten(1)


def panel(values: Tensor, layer: str) -> FeaturesPanel:
    """The principal components of values `(N, D)`."""
    plane = principal_plane(values)
    return FeaturesPanel(layer, plane.places(values).cpu().numpy(), plane.shares, values.shape[1])
