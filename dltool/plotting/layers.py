"""The statistics of each layer in training."""

from collections.abc import Sequence
from functools import partial

from dltool.diagnostics.store import read_layers
from dltool.figures.layers import layer_heatmaps, layer_norms
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject


class LayersFigure:
    """Layer by step: gradients, activations, saturation, dead units, updates; the gradient by layer beside theory."""

    name = "layers"
    summary = "gradients, activations and updates of each layer over the training"
    overlays = None

    def lacks(self, subject: Subject) -> str | None:
        if not read_layers(subject.folder):
            return "no layer was measured (diagnostics=default measures them, for a task with an optimizer)"
        return None

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        (subject,) = subjects
        records, texts = read_layers(subject.folder), (subject.title, subject.note())
        return {
            "layers": partial(layer_heatmaps, records, *texts),
            "layer_norms": partial(layer_norms, records, *texts),
        }
