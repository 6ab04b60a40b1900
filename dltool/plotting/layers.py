"""The statistics of each layer in training."""

from collections.abc import Sequence
from functools import partial

from dltool.diagnostics.store import read_layers
from dltool.figures.compared_layers import compared_layers
from dltool.figures.layers import layer_heatmaps, layer_norms
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject, shared_note


class LayersFigure:
    """Layer by step: gradients, activations, saturation, dead units, updates; the gradient by layer beside theory.

    Of several runs only the gradients by layer are drawn.
    """

    name = "layers"
    summary = "gradients, activations and updates of each layer over the training"
    overlays = "any"

    def lacks(self, subject: Subject) -> str | None:
        if not read_layers(subject.folder):
            return "no layer was measured (diagnostics=default measures them, for a task with an optimizer)"
        return None

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        if len(subjects) > 1:
            runs = {subject.label: read_layers(subject.folder) for subject in subjects}
            return {"layer_norms": partial(compared_layers, runs, subjects[0].title, shared_note(subjects))}
        (subject,) = subjects
        records, texts = read_layers(subject.folder), (subject.title, subject.note())
        return {
            "layers": partial(layer_heatmaps, records, *texts),
            "layer_norms": partial(layer_norms, records, *texts),
        }
