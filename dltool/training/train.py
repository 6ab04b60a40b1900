"""A training as a user asks for it: from a checked config to a finished run folder and its summary."""

import contextlib
import dataclasses
import sys
import tempfile
import textwrap
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from dltool.build.prepare import (
    Parts,
    build_data,
    build_model,
    build_spec,
    build_trainer,
    prepare,
    with_targets,
)
from dltool.config.check import Config
from dltool.core.errors import ConfigError, DataError, DltoolError
from dltool.core.process import OUTPUT_ROOT
from dltool.core.shell import quoted
from dltool.core.spec import DataSpec
from dltool.data.dataset import Dataset
from dltool.data.preprocessing import check_tokenizers, from_json, to_json, tokenizer_state
from dltool.engine.observer import Observer
from dltool.introspection.summary import count_parameters, layer_table
from dltool.observers.jsonl import cut_back
from dltool.observers.tracker import check_trackers
from dltool.runs.folder import RunFolder, describe_environment
from dltool.training.session import Session
from dltool.trust.sources import trust_flags
from dltool.warm_start.from_data import initialize_from_data

ROUNDING = 1e-6  # Of the scale of targets, in their standard deviations.


class Ended(NamedTuple):
    """How a training ended, and where it lies."""

    exit_code: int
    path: Path


def train(
    config: Config,
    built: Config,
    *,
    quiet: bool = False,
    followed: tuple[str, str | None] | None = None,
    observers: Sequence[Observer] = (),
) -> Ended:
    """Train from the beginning in a new run folder.

    Args:
        config: What the run folder keeps.
        built: What is trained: the same, or with `auto` replaced by what it became in an earlier run.
        quiet: Print the run folder only.
        followed: A setting and the metric that it names, which the training must report: ("sweep.metric", "val/loss").
        observers: To watch beside the usual ones.

    Raises:
        ConfigError, DataError: Before anything is trained; no run folder is left.
        RunError: While training; the run folder says so.
    """
    check_trackers(built["logger"])
    parts = prepare(built, followed)
    run = RunFolder.create(config["run"]["dir"], OUTPUT_ROOT, f"{config['model']['name']}_{config['data']['name']}")
    with contextlib.closing(run):
        try:
            session = Session(parts, run, quiet, observers)
            for observer in session.trainer.observers:
                observer.on_create()
        except DltoolError:  # Of the user's own observer.
            run.abandon()
            raise
        run.write_preprocessing(to_json(parts.dataset.preprocessing, parts.spec))
        loaded = {"init_from": parts.warm_start.as_dict()} if parts.warm_start else {}
        run.write_environment({**describe_environment(), "auto": parts.auto, **loaded, "resumed": []})
        run.write_config(config.tree)  # Last: a folder that has it has all that the run needs to be used.
        return Ended(session.run_to_end(), run.path)


def resume(run: RunFolder, config: Config, built: Config, *, quiet: bool = False) -> int:
    """Continue a run from its newest undamaged checkpoint; returns the exit code. See train for the arguments.

    Raises:
        ConfigError: Where nothing is left to do, or another process is at it.
        DataError: Where the data is not what it was.
        CheckpointError: Where there are checkpoints, but all are damaged.
    """
    run.hold()
    with contextlib.closing(run):
        check_trackers(built["logger"])
        parts = prepare(built, resumed=any(run.checkpoints.glob("step-*")))
        check_same_data(run, parts)
        check_same_weights(run, parts)
        session = Session(parts, run, quiet=quiet)
        checkpoint = session.trainer.checkpoints.newest(session.warn)
        if checkpoint is None:
            cut_back(run.metrics, 0)
            session.say("no checkpoint was committed yet: training starts from the beginning")
        else:
            session.continue_from(checkpoint)
        environment = run.read_environment()
        since = {"step": session.trainer.progress.step, "command": ["dltool", *sys.argv[1:]]}
        kept = {key: environment[key] for key in ("init_from",) if key in environment}
        resumed = [*environment.get("resumed", []), since]
        run.write_environment({**describe_environment(), "auto": parts.auto, **kept, "resumed": resumed})
        run.write_config(config.tree)
        return session.run_to_end()


def check_same_data(run: RunFolder, parts: Parts) -> None:
    """Raises DataError where the data is of another shape or has other classes than when the run began."""
    saved = run.read_preprocessing()
    if not saved:
        return
    preprocessing, before = from_json(saved, str(run.path))
    check_tokenizers(
        tokenizer_state(preprocessing, before),
        parts.dataset.state_dict(),
        "the data, as it is now,",
        f"was the text changed? train anew: dltool train {trust_flags()}--from {quoted(run.path)}",
    )
    if changed := [f.name for f in dataclasses.fields(before) if differs(f.name, before, parts.spec)]:
        name = changed[0]
        raise DataError(
            f"the data has changed since {run.path} began: its {name} was {in_short(getattr(before, name))} and is "
            f"{in_short(getattr(parts.spec, name))}",
            f"train anew: dltool train {trust_flags()}--from {quoted(run.path)}",
        )


def differs(name: str, before: DataSpec, now: DataSpec) -> bool:
    """Whether a field of the spec is another; the scale of targets may be, by the rounding of earlier versions."""
    old, new = getattr(before, name), getattr(now, name)
    if name in ("target_mean", "target_std") and len(old) == len(new):  # They rounded to float32 before scaling.
        return any(abs(a - b) > ROUNDING * std for a, b, std in zip(old, new, before.target_std, strict=True))
    return bool(old != new)


def in_short(value: object) -> str:
    """A shape as it is; of a vocabulary, the beginning."""
    return textwrap.shorten(str(value), 80, placeholder=" …")


def check_same_weights(run: RunFolder, parts: Parts) -> None:
    """A run that has no checkpoint yet begins anew: raises DataError where that would be with other weights."""
    before = run.read_environment().get("init_from")
    if before and parts.warm_start and before["sha256"] != parts.warm_start.source.sha256:
        path = parts.warm_start.source.path
        raise DataError(
            f"{path.resolve()} is not what {run.path} began with: its SHA-256 differs",
            f"train anew: dltool train --from {quoted(run.path)}",
        )


def try_one_batch(config: Config) -> int:
    """Build everything, take one step and evaluate one batch of each split in memory; prints what was found."""
    started = time.monotonic()
    check_trackers(config["logger"])
    parts = prepare(config, judged=False, approximate=True)
    with tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(parts, RunFolder(Path(folder)))
        trainer.task.model.train()
        trainer.train_step()
        trainer.raise_if_bad()
        loss = trainer.progress.sums.values()
        for updater in trainer.updaters.values():
            updater.optimizer.zero_grad()  # As the next step would: gradients take as much memory as the weights.
        metrics = {"val": trainer.evaluate("val", num_batches=1)}
        with trainer.several_looks():
            metrics["test"] = trainer.evaluate("test", num_batches=1)
    parameters = count_parameters(parts.task.model)
    print(f"model      {config['model']['name']}, {parameters}, output {parts.spec.output_dim}")
    for note in parts.notes:
        print(note)
    print(f"samples    {', '.join(f'{n:,} {split}' for split, n in parts.dataset.sizes.items())}")
    print(f"length     {trainer.progress.total_steps:,} steps, {trainer.steps_per_epoch:,} an epoch")
    print(f"one step   {listed(loss)}")
    for split, values in metrics.items():
        if values:
            print(f"evaluated  one batch of {split}: {listed(values)}")
    print(f"all is well ({time.monotonic() - started:.1f} s)")
    return 0


def listed(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())


def describe_model(config: Config, receptive_field: Path | None = None) -> str:
    """The model's layers as a table, after loading the data that decides its shapes.

    Args:
        config: Its model, and the data.
        receptive_field: Where to draw what the initialised model's units look at.

    Raises:
        ConfigError: No layer of the model looks at parts of an image, or the picture cannot be written.
    """
    dataset = build_data(config, torch.device("cpu"), approximate=True)
    config = with_targets(config, dataset.spec)
    spec = build_spec(config, dataset)
    with torch.device("meta"):
        model = build_model(config, spec, torch.device("meta"))
    notes = "".join(f"{note}\n" for note in dataset.notes)
    table = notes + layer_table(model, spec)
    if receptive_field is None:
        return table
    return f"{table}\n\n{draw_what_units_see(config, dataset, spec, receptive_field)}"


def draw_what_units_see(config: Config, dataset: Dataset, spec: DataSpec, path: Path) -> str:
    """Draw the effective receptive fields of the initialised model; returns what was drawn where."""
    from dltool.figures.saving import save_figure
    from dltool.introspection.pictures import receptive_field_picture

    names = config["model"]["name"], config["data"]["name"]
    model = build_model(config, spec, torch.device("cpu"))
    initialize_from_data(model, dataset)
    images = dataset.train.copy_at_start().draw().inputs
    figure = receptive_field_picture(model, spec, images, f"{names[0]} on {names[1]}, initial weights")
    if figure is None:
        raise ConfigError(
            f"no layer of {names[0]} looks at parts of an image, so that none has a receptive field",
            "model=lenet data=digits",
        )
    try:
        save_figure(figure, path)
    except OSError as error:
        raise ConfigError(f"{path.resolve()} cannot be written: {error.strerror}", "another file") from error
    return f"receptive fields: {path}"
