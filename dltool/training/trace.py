"""`dltool trace`: a few training steps of a config, or of a run, on one sample, in numbers."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from dltool.build.components import model_settings
from dltool.build.parts import Parts
from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.config.rerun import RESUMABLE, compose_changed, with_auto
from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.core.numerals import counted
from dltool.diagnostics.trace.calls import DEFAULT, Choice
from dltool.diagnostics.trace.step import StepTrace, in_double, state_in_double, trace_step
from dltool.engine.initial import set_initial
from dltool.engine.named_checkpoints import open_checkpoint
from dltool.engine.trainer import Trainer
from dltool.runs.folder import CONFIG, RunFolder
from dltool.training.resume import check_same_data

OF_THE_MACHINE = ("trainer.device", "trainer.threads", "trainer.compile")  # Keys that may differ from the run's.


def trace_config(config: Config, sample: int, num_steps: int, choice: Choice = DEFAULT) -> list[StepTrace]:
    """Build the training, and trace its first steps on one training sample.

    Args:
        config: The checked config.
        sample: The training sample's position, from 0, not augmented.
        num_steps: At least 1.
        choice: The place at which single layers are computed.

    Raises:
        ConfigError: The task does not minimize one loss, or there is no such sample or place.
    """
    parts = prepare(config)
    trainer = trainer_of(parts)
    batch = in_double(parts.task, chosen_sample(parts, sample))
    if (initial := model_settings(config).initial) is not None:
        set_initial(parts.task.model, initial)  # The numbers as written, not rounded to float32.
    return trace_steps(trainer, batch, num_steps, choice)


def trace_run(
    run: RunFolder,
    overrides: Sequence[str],
    checkpoint: str,
    sample: int,
    num_steps: int,
    choice: Choice = DEFAULT,
    *,
    config_dirs: Sequence[Path] = (),
    warn: Callable[[str], None] = lambda _: None,
) -> list[StepTrace]:
    """Trace the steps that a run would take next: with its weights, optimizer state and schedule, on its own data.

    A run that has reached its length takes them as `dltool resume RUN trainer.steps=N` would. Nothing in its folder is
    changed.

    Args:
        run: The run, which may still be training.
        overrides: Of the device and of the place of the same data; no other change is possible.
        checkpoint: "last", "best" or a name such as "step-000680".
        sample: The training sample's position, from 0, not augmented.
        num_steps: At least 1.
        choice: The place at which single layers are computed.
        config_dirs: Folders with options in addition to dltool's own.
        warn: Called with a line about each damaged checkpoint that "last" skips.

    Raises:
        ConfigError: As in trace_config, or an override changes the training, or the run has no such checkpoint.
        DataError: The data has changed since the run began.
        CheckpointError: The checkpoint is damaged.
    """
    path = run.path / CONFIG
    refusal = " and cannot become {value} in a trace of its trained network"
    config = compose_changed(path, overrides, OF_THE_MACHINE, refusal, config_dirs, ("data", *RESUMABLE))
    saved = open_checkpoint(run.checkpoints, checkpoint, warn)
    parts = prepare(with_auto(config, run.read_auto(), path, unchanged=RESUMABLE), resumed=True)
    trainer = trainer_of(parts)
    check_same_data(run, parts)
    trainer.load(saved)
    batch = in_double(parts.task, chosen_sample(parts, sample))
    return trace_steps(trainer, batch, num_steps, choice)


def trainer_of(parts: Parts) -> Trainer:
    """The trainer, which saves nothing.

    Raises:
        ConfigError: A step of this training cannot be traced.
    """
    task = parts.task
    if not task.only_minimizes() or list(parts.updaters) != ["model"]:
        raise ConfigError(
            f"task={parts.config['task']['name']} does not minimize one loss, so that a step of it has no such trace",
            "a supervised model, such as model=mlp",
        )
    if parts.updaters["model"].needs_closure:
        raise ConfigError(
            f"optim={parts.config['optim']['name']} evaluates the loss several times in a step, which is not traced",
            "another optimizer, such as optim=adam",
        )
    with tempfile.TemporaryDirectory() as folder:
        return build_trainer(parts, RunFolder(Path(folder)))


def chosen_sample(parts: Parts, sample: int) -> Batch:
    """One training sample, not augmented. Raises ConfigError if there are not so many."""
    batch = parts.dataset.first_batch("train", sample + 1)
    if batch.size <= sample:
        raise ConfigError(
            f"--sample {sample}: the training data has {counted(batch.size, 'sample')}", f"--sample {batch.size - 1}"
        )
    chosen = slice(sample, sample + 1)
    return Batch(batch.inputs[chosen], batch.targets[chosen], 1)


def trace_steps(trainer: Trainer, batch: Batch, num_steps: int, choice: Choice) -> list[StepTrace]:
    """Take the trainer's next steps on one batch, with the rates of its schedule."""
    progress, updater, task = trainer.progress, trainer.updaters["model"], trainer.task
    if (end := progress.step + num_steps) > progress.total_steps:
        progress.total_steps, progress.total_epochs = end, None
    task.model.train()
    steps = []
    state_in_double(updater.optimizer)  # AdaGrad has a state before its first step.
    for step in range(progress.step, end):
        progress.step, progress.epoch = step, max(progress.epoch, step // trainer.steps_per_epoch)
        trainer.apply_schedules()
        steps.append(trace_step(task, batch, updater.optimizer, step, trainer.seed, choice, clip=updater.clip))
    return steps
