"""The figures of runs from their folders, several in one picture where they can be compared."""

import functools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.core.notices import FigureWarning
from dltool.data.dataset import Dataset
from dltool.diagnostics.store import NAME
from dltool.figures.saving import Target
from dltool.inference.evaluated_data import evaluated_data
from dltool.inference.loaded_run import LoadedRun
from dltool.introspection.forward_memory import sample_bytes
from dltool.plotting.catalog import COSTLY, FIGURES, write
from dltool.plotting.figure import Options, RunFigure
from dltool.plotting.layers import has_several_layers
from dltool.plotting.subject import Subject
from dltool.plotting.sweep import not_one_sweep
from dltool.runs.catalog import RunRecord, read_run
from dltool.runs.comparison import labels
from dltool.runs.folder import RunFolder

MOST = 16  # Runs whose lines can be distinguished in one picture.
# What runs in one picture have in common, by the kind of overlay.
SHARED = {"paths": ("model", "loss", "data"), "models": ("data",)}
# Keys in which they may differ all the same.
FREE = (
    "path", "root", "download", "batch_size", "eval_batch_size", "shuffle", "order", "sampling", "drop_last", "initial"
)  # fmt: skip


@dataclass(frozen=True)
class Availability:
    """Whether a figure can be drawn for some runs.

    Attributes:
        figure: The figure.
        reason: Why not; None if it can be drawn.
        is_costly: Whether it takes so long that it is only drawn where it is named.
    """

    figure: RunFigure
    reason: str | None
    is_costly: bool = False


def load_subjects(records: Sequence[RunRecord]) -> list[Subject]:
    """The runs, each with its last weights.

    Raises:
        DltoolError: If a run cannot be loaded.
    """
    names = labels(records) if len(records) > 1 else [""]
    return [loaded(record.path, name) for record, name in zip(records, names, strict=True)]


def loaded(path: Path, difference: str = "") -> Subject:
    """One run."""
    run = LoadedRun(RunFolder(path), checkpoint="last")
    step = int(run.checkpoint.removeprefix("step-"))

    @functools.cache
    def dataset() -> Dataset:
        own = evaluated_data(run, run.built, "train").dataset
        own.fit_eval_batch(functools.partial(sample_bytes, run.model, run.spec))
        return own

    def training_samples(count: int) -> Batch:
        return dataset().first_batch("train", count)

    return Subject(
        run.task,
        run.spec,
        run.preprocessing,
        run.config,
        path / NAME,
        step,
        difference,
        training_samples,
        dataset,
    )


def availability(subjects: Sequence[Subject]) -> list[Availability]:
    """For each figure, what the runs lack for it."""
    return [Availability(one, missing(one, subjects), one in COSTLY) for one in (*FIGURES, *COSTLY)]


def missing(figure: RunFigure, subjects: Sequence[Subject]) -> str | None:
    """Why a figure cannot be drawn for all of these runs together; None if it can."""
    for subject in subjects:
        if reason := figure.lacks(subject):
            return reason if len(subjects) == 1 else f"{subject.label}: {reason}"
    if len(subjects) == 1:
        return None
    if figure.overlays is None:
        return "it is drawn for one run at a time"
    if figure.overlays == "layers" and not all(map(has_several_layers, subjects)):
        return "it compares the gradients of several layers, and these are networks of one"
    if figure.overlays in ("any", "layers"):
        return f"it shows at most {MOST} runs, and these are {len(subjects)}" if len(subjects) > MOST else None
    return not_one_sweep(subjects) if figure.overlays == "one key" else incomparable(subjects, SHARED[figure.overlays])


def incomparable(subjects: Sequence[Subject], groups: Sequence[str]) -> str | None:
    """Why runs cannot share a picture: a group of their configs has a key that differs; None if they can."""
    first = subjects[0]
    for other in subjects[1:]:
        for group in groups:
            if (key := difference(first.config[group], other.config[group])) is not None:
                return f"the runs differ in {group}.{key}"
    return None


def difference(left: Any, right: Any) -> str | None:
    """The first key that differs between two groups of a config, other than places, batches and initial weights."""
    keys = [key for key in {**left, **right} if key not in FREE]
    return next((key for key in keys if left.get(key) != right.get(key)), None)


def plot(
    subjects: Sequence[Subject], folder: Target, names: Sequence[str] | None = None, *, kind: str, options: Options
) -> list[str]:
    """Draw the figures that the runs can show; returns the names of the files.

    Args:
        subjects: One run, or several for one picture.
        folder: Created if it does not exist.
        names: Names of figures; None for all that can be drawn, without those that take long.
        kind: "png", "svg" or "pdf".
        options: How they are computed.

    Raises:
        ConfigError: A named figure does not exist, or the runs lack something for it, or have no figure at all.
    """
    found = {one.figure.name: one for one in availability(subjects)}
    for name in names or ():
        if name not in found:
            raise ConfigError(f"--figure {name}: there is no such figure", f"the figures are {', '.join(found)}")
        if reason := found[name].reason:
            raise ConfigError(f"--figure {name}: {reason}", "dltool plot RUN --figure list shows what a run has")
    quick = [figure.name for figure in FIGURES]
    drawn = [found[name].figure for name in names or quick if found[name].reason is None]
    if not drawn:
        why = "; ".join(f"{name}: {one.reason}" for name, one in found.items())
        raise ConfigError(f"there is no figure of these runs ({why})", "dltool train … diagnostics=default")
    written = []
    for figure in drawn:
        written += write(figure, subjects, folder, kind, options)
    return written


def draw_together(paths: Sequence[Path], folder: Target) -> list[str]:
    """Draw the figures that show several runs at once, after a sweep; returns the names of the files.

    A figure that cannot be drawn causes a warning, since it must not end a sweep.
    """
    if len(paths) < 2:
        return []
    try:
        subjects = load_subjects([read_run(path) for path in paths])
        return [name for one in FIGURES if missing(one, subjects) is None for name in write(one, subjects, folder)]
    except Exception as error:
        warnings.warn(f"the figures of the sweep could not be drawn: {error}", FigureWarning, stacklevel=2)
        return []
