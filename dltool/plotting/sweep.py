"""The runs of a sweep over one key: metrics, bias and variance over seeds, gradient noise."""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from torch.nn.modules.dropout import _DropoutNd

from dltool.core.numerals import is_number
from dltool.diagnostics.decomposition import decompose
from dltool.diagnostics.store import read_layers
from dltool.figures.drawing import metric_name
from dltool.figures.sweep import SweepPanel, SweepSeries, sweep_picture
from dltool.figures.words import word
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject, shared_note, shared_title
from dltool.runs.catalog import RunRecord, as_text, read_run
from dltool.runs.comparison import distinguishing_keys, is_learning_rate, short_key
from dltool.runs.paired import REPEATS

SPLITS = ("train", "val", "test")
BATCH_SIZE = "data.batch_size"
LATEST = 3  # Measurements of the noise that are averaged.
Groups = dict[object, list[Subject]]  # Value of the swept key to its runs.


class SweepFigure:
    """Training and held-out metrics against the swept key, with bias² and variance for regression."""

    name = "sweep"
    summary = "metrics against the swept key, mean and standard deviation over seeds; bias and variance"
    overlays = "one key"

    def lacks(self, subject: Subject) -> str | None:
        return None if subject.difference else "it compares several runs that differ in one key"

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        records = records_of(subjects)
        (key,) = swept_keys(records)
        groups = grouped(subjects, records, key)
        panels = [
            *metric_panels(groups, records, subjects),
            *error_panel(groups),
            *noise_panel(groups, key),
            *size_panel(groups),
        ]
        notes = [spread(groups), shared_note(subjects)]
        if any(map(has_dropout, subjects)):
            notes.append(word("training values are with dropout"))
        note = "; ".join(notes)
        title = word("{title}: sweep over {key}", title=shared_title(subjects), key=short_key(key))
        return {"sweep": partial(sweep_picture, short_key(key), list(groups), panels, title=title, note=note)}


def not_one_sweep(subjects: Sequence[Subject]) -> str | None:
    """Why runs are not a sweep over one key; None if they are."""
    keys = [short_key(key) for key in swept_keys(records_of(subjects))]
    if len(keys) == 1:
        return None
    if not keys:
        return "it needs runs that differ in a key other than the seed"
    return f"it needs runs that differ in one key and the seed, and these differ in {', '.join(keys)}"


def records_of(subjects: Sequence[Subject]) -> list[RunRecord]:
    """The records of the runs."""
    return [read_run(subject.folder.parent) for subject in subjects]


def swept_keys(records: Sequence[RunRecord]) -> list[str]:
    """The keys in which the runs differ, without those of repetitions."""
    return [key for key in distinguishing_keys(records) if key not in REPEATS]


def grouped(subjects: Sequence[Subject], records: Sequence[RunRecord], key: str) -> Groups:
    """The runs by the value of the key: numbers in order, names as they come."""
    found: Groups = {}
    for subject, record in zip(subjects, records, strict=True):
        value = record.config.get(key)
        found.setdefault(value if is_number(value) else as_text(value), []).append(subject)
    if all(map(is_number, found)):
        return dict(sorted(found.items(), key=lambda pair: pair[0]))  # type: ignore[arg-type, return-value]
    return {str(value): group for value, group in found.items()}


def spread(groups: Groups) -> str:
    """What the points and bars are, with the number of runs for each value."""
    counts = sorted({len(group) for group in groups.values()})
    if counts[-1] == 1:
        return word("one run for each value")
    return word("mean ± standard deviation over {count} runs each", count=" … ".join(map(str, counts)))


def metric_panels(groups: Groups, records: Sequence[RunRecord], subjects: Sequence[Subject]) -> list[SweepPanel]:
    """The loss, and the first score that all runs have on a held-out split."""
    metrics = {id(subject): record.metrics for subject, record in zip(subjects, records, strict=True)}
    shared = [name for name in records[0].metrics if all(name in record.metrics for record in records)]
    held_out = [name for name in shared if name.startswith(("val/", "test/"))]
    scores = [name.partition("/")[2] for name in held_out if "loss" not in name and not is_learning_rate(name)]
    panels = []
    for name in ["loss", *scores[:1]]:
        series = [
            SweepSeries(
                metric_name(one),
                [[metrics[id(subject)][one] for subject in group if one in shared] for group in groups.values()],
            )
            for one in (f"{split}/{name}" for split in SPLITS)
        ]
        if any(one.partition("/")[2] == name for one in shared):
            title = word("{metric}, newest value of each split", metric=metric_name(name))
            panels.append(SweepPanel(title, metric_name(name), series))
    return panels


def error_panel(groups: Groups) -> list[SweepPanel]:
    """Bias² and variance over the repetitions, for one predicted number and at least two runs of each value."""
    first = next(iter(groups.values()))[0]
    is_regression = first.spec.target == "numbers" and first.spec.target_dim == 1
    if not is_regression or min(map(len, groups.values())) < 2:
        return []
    found = []
    for group in groups.values():
        tables = [held_out_predictions(subject) for subject in group]
        targets = tables[0][1]
        if any(other.shape != targets.shape or not np.allclose(other, targets) for _, other in tables):
            return []  # Other held-out samples.
        found.append(decompose(np.stack([predictions for predictions, _ in tables]), targets))
    series = [
        SweepSeries(word("mean squared error"), [[one.mse] for one in found]),
        SweepSeries(word("bias² (with the noise of y)"), [[one.bias2] for one in found]),
        SweepSeries(word("variance over the runs"), [[one.variance] for one in found]),
    ]
    return [SweepPanel(word("held-out error = bias² + variance"), word("squared error (unit of y, squared)"), series)]


def held_out_predictions(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """The predictions and targets of the run's test split, else its validation split, in the data's units, `(N,)`."""
    assert subject.dataset is not None
    dataset = subject.dataset()
    split = next((name for name in ("test", "val") if name in dataset.sizes), "train")
    parts = []
    for batch in dataset.evaluation(split):
        predicted = subject.predict(batch.inputs).outputs
        targets = subject.spec.in_units(batch.targets)
        parts.append((predicted[:, 0].double().cpu().numpy(), targets[:, 0].double().cpu().numpy()))
    return np.concatenate([f for f, _ in parts]), np.concatenate([y for _, y in parts])


def noise_panel(groups: Groups, key: str) -> list[SweepPanel]:
    """The gradient noise scale of the last measurements, if diagnostics=full measured it."""
    values = [
        [scale for subject in group if math.isfinite(scale := noise_at_end(subject))] for group in groups.values()
    ]
    if not any(values):
        return []
    series = [SweepSeries("tr Σ / ‖G‖²", values)]
    if key == BATCH_SIZE and all(map(is_number, groups)):
        series.append(SweepSeries(word("batch size"), [[float(size)] for size in groups]))  # type: ignore[arg-type]
    return [SweepPanel(word("gradient noise scale at the end"), word("samples"), series)]


def size_panel(groups: Groups) -> list[SweepPanel]:
    """The number of parameters, if it depends on the key."""
    sizes = [[float(num_parameters(subject)) for subject in group] for group in groups.values()]
    if len({size for group in sizes for size in group}) < 2:
        return []
    title = word("size of the model")
    return [SweepPanel(title, word("parameters"), [SweepSeries(word("parameters"), sizes)])]


def has_dropout(subject: Subject) -> bool:
    """Whether the model sets activations to zero in training, so that its training metrics are worse than it is."""
    return any(isinstance(module, _DropoutNd) and module.p > 0 for module in subject.task.model.modules())


def num_parameters(subject: Subject) -> int:
    """The numbers in the parameters of the run's model."""
    return sum(parameter.numel() for parameter in subject.task.model.parameters())


def noise_at_end(subject: Subject) -> float:
    """tr Σ / ‖G‖², each averaged over the last measurements; NaN if it was not measured."""
    measured = [record["noise"] for record in read_layers(subject.folder) if "noise" in record][-LATEST:]
    norm = sum(one["square_norm"] for one in measured)
    return float(sum(one["trace"] for one in measured) / norm) if norm > 0 else math.nan
