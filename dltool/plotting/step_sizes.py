"""The single steps of a training on a surface of two parameters."""

import numpy as np

from dltool.diagnostics.store import read_steps, read_weights, weight_files
from dltool.figures.step_sizes import StepSizes
from dltool.figures.surface import Surface
from dltool.plotting.subject import Subject


def step_sizes_of(subject: Subject, surface: Surface) -> StepSizes:
    """The steps that were measured, on the loss over all training points.

    Args:
        subject: A run whose model has two parameters.
        surface: The loss over them.
    """
    names = list(subject.task.model.state_dict())
    kept = dict(weight_files(subject.folder))
    records = [record for record in read_steps(subject.folder) if record["step"] in kept]
    states = [read_weights(kept[record["step"]]) for record in records]
    places = table([[state[name].double().flatten().tolist() for name in names] for state in states])
    updates = table([[record["updates"][name] for name in names] for record in records])
    missing = {name: [np.nan] * state[name].numel() for state in states[:1] for name in names}
    rates = table([[record.get("rates", missing)[name] for name in names] for record in records])
    predicted = (surface.gradient(places) * updates).sum(axis=1)
    actual = surface.excess(places + updates) - surface.excess(places)
    steps = np.array([record["step"] for record in records])
    return StepSizes(subject.label, steps, rates, predicted, actual)


def table(rows: list[list[list[float]]]) -> np.ndarray:
    """Numbers by parameter, `(K, 2)` for K steps."""
    return np.array([[number for part in row for number in part] for row in rows], dtype=float).reshape(-1, 2)
