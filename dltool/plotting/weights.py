"""Histograms of the weights at the end of runs: what L1 and L2 penalties do to them."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from dltool.figures.weights import WeightHistogram, WeightPanel, weights_picture
from dltool.figures.words import word
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject, shared_note, shared_title

BOUND = 1e-3  # Weights below it are counted as small.
NUM_BINS = 61  # Odd: the middle bin has 0 in its centre.
NUM_LAYERS = 5
Weights = Mapping[str, np.ndarray]  # The name of a parameter to its values, flat.


class WeightsFigure:
    """The distribution of all weights and of those of each layer, with the share of those near 0."""

    name = "weights"
    summary = "histograms of the weights at the end, without biases; the share of those below 0.001"
    overlays = "any"

    def lacks(self, subject: Subject) -> str | None:
        return None if weights_of_run(subject) else "its model has no matrix of weights"

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        runs = {subject.label if len(subjects) > 1 else "": weights_of_run(subject) for subject in subjects}
        title = word("{title}: weights at the end", title=shared_title(subjects))
        note = shared_note(subjects)
        return {"weights": partial(weights_picture, panels_of(runs), BOUND, title=title, note=note)}


def weights_of_run(subject: Subject) -> Weights:
    """The parameters with at least two dimensions: no biases, and no scales of normalisation layers."""
    parameters = subject.task.model.named_parameters()
    return {name: p.detach().float().cpu().numpy().ravel() for name, p in parameters if p.ndim >= 2 and p.numel()}


def panels_of(runs: Mapping[str, Weights]) -> list[WeightPanel]:
    """All weights, then those of each layer where the runs have the same few layers.

    Args:
        runs: Label to weights.
    """
    panels = [panel_of(word("all weights"), {label: list(weights.values()) for label, weights in runs.items()})]
    first, *others = runs.values()
    if 1 < len(first) <= NUM_LAYERS and all(list(other) == list(first) for other in others):
        panels += [panel_of(name, {label: [weights[name]] for label, weights in runs.items()}) for name in first]
    return panels


def panel_of(title: str, runs: Mapping[str, Sequence[np.ndarray]]) -> WeightPanel:
    """The histograms over the range of all runs; weights that are not finite are left out."""
    finite = {label: [values[np.isfinite(values)] for values in parts] for label, parts in runs.items()}
    largest = max((float(np.abs(v).max()) for parts in finite.values() for v in parts if v.size), default=0.0)
    edges = np.linspace(-1, 1, NUM_BINS + 1) * (largest or 1.0)
    return WeightPanel(title, edges, [histogram(label, parts, edges) for label, parts in finite.items()])


def histogram(label: str, parts: Sequence[np.ndarray], edges: np.ndarray) -> WeightHistogram:
    """The counts of several arrays together, without a copy of all weights."""
    counts = np.sum([np.histogram(values, edges)[0] for values in parts], axis=0)
    total, small = (sum(map(len, parts)), sum(int((np.abs(values) < BOUND).sum()) for values in parts))
    return WeightHistogram(label, counts, small / max(total, 1))
