"""The statistics of each layer in training."""

from collections.abc import Sequence
from functools import partial

from dltool.diagnostics.store import read_layers
from dltool.figures.compared_layers import compared_layers
from dltool.figures.layers import layer_heatmaps, layer_norms
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject, shared_note, shared_title


class LayersFigure:
    """Layer by step: gradients, activations, saturation, dead units, updates; the gradient by layer beside theory.

    Of several runs only the gradients by layer are drawn.
    """

    name = "layers"
    summary = "gradients, activations and updates of each layer over the training"
    overlays = "layers"

    def lacks(self, subject: Subject) -> str | None:
        if not read_layers(subject.folder):
            return "no layer was measured (diagnostics=default measures them, for a task with an optimizer)"
        return None

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        if len(subjects) > 1:
            runs = {subject.label: read_layers(subject.folder) for subject in subjects}
            return {"layer_norms": partial(compared_layers, runs, shared_title(subjects), shared_note(subjects))}
        (subject,) = subjects
        records, texts = read_layers(subject.folder), (subject.title, subject.note())
        norms = {"layer_norms": partial(layer_norms, records, *texts)} if has_several_layers(subject) else {}
        return {"layers": partial(layer_heatmaps, records, *texts), **norms}


def has_several_layers(subject: Subject) -> bool:
    """Whether there are layers whose gradients can be compared."""
    return len(read_layers(subject.folder)[0]["layers"]) > 1
