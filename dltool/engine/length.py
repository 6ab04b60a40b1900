"""The default length of a training: enough steps for data of any size."""

import dataclasses
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dltool.config.rerun import OF_THE_LENGTH
from dltool.config.settings import CheckpointSettings, TrainerSettings
from dltool.core.numerals import counted
from dltool.data.dataset import Dataset
from dltool.tasks.task import Task

LEAST_EPOCHS = 30
LEAST_STEPS = 2_000
LARGE_BATCH = 512  # With larger batches, fewer steps process as many samples.
MOST_EVALUATIONS = 50
LONGEST_PERIOD = 1_000  # Steps; a training that a rule ends may have any number of them.
LEAST_VALIDATION = 10  # Samples by which the best weights can be chosen: a tenth of 100.


@dataclass(frozen=True, kw_only=True)
class ResolvedCheckpointSettings(CheckpointSettings):
    """CheckpointSettings without `auto`."""

    every_n_epochs: int | None = 1
    metric: str | None = None


@dataclass(frozen=True, kw_only=True)
class ResolvedTrainerSettings(TrainerSettings):
    """TrainerSettings without `auto` for what depends on the data."""

    epochs: int | None = LEAST_EPOCHS
    stop_when_overfit: bool = False
    test: Literal["last", "best", "none"] = "last"
    evaluate_every_n_epochs: int = 1
    checkpoint: ResolvedCheckpointSettings = ResolvedCheckpointSettings()


def resolve(settings: TrainerSettings, dataset: Dataset, task: Task) -> ResolvedTrainerSettings:
    """The settings with a value for each `auto` that the data and the task decide; explicit values are kept."""
    steps_per_epoch = math.ceil(dataset.train.batches_per_epoch / task.draws_per_step)
    epochs = settings.epochs
    if epochs == "auto":
        epochs = None if settings.steps is not None else default_epochs(settings, dataset, steps_per_epoch)
    expected = min(epochs or math.inf, (settings.steps or math.inf) / steps_per_epoch)
    every = settings.evaluate_every_n_epochs
    if every == "auto":
        every = math.ceil(min(expected / MOST_EVALUATIONS, LONGEST_PERIOD / steps_per_epoch))
    policy = settings.checkpoint
    checkpoint = ResolvedCheckpointSettings(
        **values(policy)
        | {
            "every_n_epochs": every if policy.every_n_epochs == "auto" else policy.every_n_epochs,
            "metric": selection_metric(policy, dataset, task) if policy.metric == "auto" else policy.metric,
        }
    )
    test = settings.test
    if test == "auto":
        test = "best" if can_select(dataset, task, checkpoint) else "last"
    stop = settings.stop_when_overfit
    if stop == "auto":
        stop = settings.epochs == "auto" and settings.steps is None and test == "best"
    chosen = {
        "epochs": epochs,
        "stop_when_overfit": stop,
        "evaluate_every_n_epochs": every,
        "test": test,
        "checkpoint": checkpoint,
    }
    return ResolvedTrainerSettings(**values(settings) | chosen)


def default_epochs(settings: TrainerSettings, dataset: Dataset, steps_per_epoch: int) -> int:
    """Thirty, or as many as give 2,000 steps; with batches of more than 512 samples, as many samples as those have."""
    if settings.limit_batches is not None:
        return LEAST_EPOCHS  # A trial with short epochs.
    source, steps = dataset.train, float(LEAST_STEPS)
    if source.unit == "samples":
        steps /= max(1.0, source.samples_per_epoch / source.batches_per_epoch / LARGE_BATCH)
    return max(LEAST_EPOCHS, math.ceil(steps / steps_per_epoch))


def can_select(dataset: Dataset, task: Task, checkpoint: CheckpointSettings) -> bool:
    """Whether a task with one objective has enough validation samples to choose the weights by."""
    enough = dataset.held_out and dataset.sizes.get("val", 0) >= LEAST_VALIDATION
    return enough and task.has_objective and task.main_metric is not None and checkpoint.keep_best > 0


def selection_metric(policy: CheckpointSettings, dataset: Dataset, task: Task) -> str | None:
    """The metric by which checkpoints are compared; None for the main metric, to which a configured mode refers."""
    if task.selection_metric is None or "val" not in dataset.sizes or policy.mode != "auto":
        return None
    return f"val/{task.selection_metric}"


def automatic_choices(written: TrainerSettings, settings: ResolvedTrainerSettings) -> dict[str, Any]:
    """Dotted key to the chosen value of each `auto` that `resolve` replaced."""
    return {key: value_at(settings, key) for key in OF_THE_LENGTH if value_at(written, key) == "auto"}


def value_at(settings: TrainerSettings, key: str) -> Any:
    """The value of a dotted key below `trainer`."""
    return operator.attrgetter(key.removeprefix("trainer."))(settings)


def values(settings: Any) -> dict[str, Any]:
    return {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}


def describe_length(choices: Mapping[str, Any], settings: ResolvedTrainerSettings, dataset: Dataset, task: Task) -> str:
    """The automatic choices in one line, with the reason of the length."""
    words = []
    if settings.epochs is not None and "trainer.epochs" in choices:
        steps = math.ceil(dataset.train.batches_per_epoch / task.draws_per_step)
        words.append(f"{counted(settings.epochs, 'epoch')} of {counted(steps, 'step')} ({reason(settings.epochs)})")
    if settings.stop_when_overfit and "trainer.stop_when_overfit" in choices:
        words.append("or until it overfits")
    if (every := settings.evaluate_every_n_epochs) > 1 and "trainer.evaluate_every_n_epochs" in choices:
        words.append(f"evaluated every {every:,} epochs")
    if "trainer.test" in choices:
        words.append(f"tested with the {settings.test} weights")
        if settings.test == "best" and task.main_metric is not None:
            words[-1] += f" by {settings.checkpoint.metric or f'val/{task.main_metric[0]}'}"
    return ", ".join(words)


def reason(epochs: int) -> str:
    """Why the training has this default number of epochs."""
    return f"at least {LEAST_EPOCHS}" if epochs == LEAST_EPOCHS else f"at least {LEAST_STEPS:,} steps"
