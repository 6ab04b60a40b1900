"""From a checked config to objects: the only place where a name becomes a class."""

import dataclasses
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from dltool.config.check import Config
from dltool.config.kinds import AnyOf, DictOf, Field, Kind, ListOf, Nested, TupleOf
from dltool.config.source import Component
from dltool.data.dataset import Dataset
from dltool.engine.checkpoint import CheckpointStore
from dltool.engine.device import choose_device, choose_threads, describe_device, keep_freed_memory
from dltool.engine.evaluator import evaluate
from dltool.engine.guard import FiniteGuard
from dltool.engine.precision import Precision
from dltool.engine.stopping import EarlyStopping
from dltool.engine.trainer import Trainer
from dltool.engine.updater import Updater
from dltool.errors import ConfigError
from dltool.metrics.direction import metric_direction
from dltool.randomness import derive_seed, seed_default_generators
from dltool.runs.folder import RunFolder
from dltool.settings import LoggerSettings, TrainerSettings
from dltool.spec import DataSpec
from dltool.tasks.task import Task


@dataclass
class Parts:
    """Everything that a config becomes, short of the trainer and its run folder.

    Attributes:
        auto: Dotted key to what each automatic choice became.
        notes: The same in words, for a person.
    """

    config: Config
    settings: TrainerSettings
    logger: LoggerSettings
    device: torch.device
    dataset: Dataset
    spec: DataSpec
    task: Task
    updaters: dict[str, Updater]
    auto: dict[str, Any]
    notes: list[str]


def prepare(config: Config) -> Parts:
    """Choose the device, load the data, build model, loss, task and optimizers.

    Raises:
        ConfigError, DataError: For what can only be known now. Nothing is written yet.
    """
    settings = build_component(config.components["trainer"], config["trainer"])
    logger = build_component(config.components["logger"], config["logger"])
    device = choose_device(settings.device)
    torch.set_num_threads(choose_threads(settings.threads))
    if device.type == "cpu":
        keep_freed_memory()
    dataset = build_data(config, device)
    spec = build_spec(config, dataset)
    model = build_model(config, spec, device)
    task = build_task(config, model, spec)
    updaters = build_updaters(config, task, settings, device)
    check_followed_metrics(config, task, dataset)
    auto = {"trainer.device": str(device), "trainer.threads": torch.get_num_threads(), **dataset.choices}
    notes = [f"device     {describe_device(device)}", *(f"data       {note}" for note in dataset.notes)]
    if config["loss"]["name"] == "auto" and config.chosen_loss:
        notes.append(f"loss       {config.chosen_loss} (for {config['data']['name']})")
    return Parts(config, settings, logger, device, dataset, spec, task, updaters, auto, notes)


def build_component(declared: Component, fields: Mapping[str, Any], *positional: Any) -> Any:
    """Construct a component from its fields; with an `into=` class, that class around it."""
    factory = getattr(importlib.import_module(declared.module), declared.attribute)
    own = arguments(declared.fields, fields)
    if declared.shared_class is None or declared.shared_module is None:
        return factory(*positional, **own)
    into = getattr(importlib.import_module(declared.shared_module), declared.shared_class)
    return into(partial(factory, **own), *positional, **arguments(declared.shared_fields, fields))


def arguments(declared: Mapping[str, Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments: the given values, or the defaults where a key is left out."""
    return {name: to_python(field.kind, values.get(name, field.default)) for name, field in declared.items()}


def to_python(kind: Kind, value: Any) -> Any:
    """A plain config value as the signature wants it: a tuple, a settings object, a number that is a float."""
    match kind:
        case TupleOf(items=items):
            return tuple(to_python(item, v) for item, v in zip(items, value, strict=True))
        case ListOf(item=item):
            return [to_python(item, v) for v in value]
        case DictOf(value=inner):
            return {key: to_python(inner, v) for key, v in value.items()}
        case Nested(module=module, class_name=name, fields=fields):
            return getattr(importlib.import_module(module), name)(**arguments(fields, value))
        case AnyOf(alternatives=alternatives):
            return to_python(next(k for k in alternatives if k.fits(value)), value)
    return value


def build_data(config: Config, device: torch.device) -> Dataset:
    """The data set, loaded, checked, split, scaled and ready to be drawn from.

    Raises:
        DataError: Where it is missing, damaged or not what it claims to be.
    """
    dataset: Dataset = build_component(config.components["data"], config["data"])
    dataset.prepare(
        seed=config["seed"],
        device=device,
        model_traits=config.components["model"].traits,
        pixel_scaling=config.components["task"].traits.get("pixels"),
    )
    return dataset


def output_dim(spec: DataSpec, head: str | None) -> int:
    """Width of the model's last layer, as the loss's trait `head` says; without a loss, one unit."""
    of_target = spec.target_dim if spec.target == "numbers" else spec.num_classes
    widths = {"classes": spec.num_classes, "one": 1, "numbers": spec.target_dim, "targets": of_target, None: 1}
    return widths[head]


def build_spec(config: Config, dataset: Dataset) -> DataSpec:
    head = config.components["loss"].traits.get("head") if "loss" in config.components else None
    return dataclasses.replace(dataset.spec, output_dim=output_dim(dataset.spec, head))


def build_model(config: Config, spec: DataSpec, device: torch.device) -> nn.Module:
    """The model with its initial weights, a function of the seed."""
    seed_default_generators(derive_seed(config["seed"], "initialization"), torch.device("cpu"))
    model: nn.Module = build_component(config.components["model"], config["model"], spec)
    return model.to(device)


def build_task(config: Config, model: nn.Module, spec: DataSpec) -> Task:
    loss = None
    if declared := config.components.get("loss"):
        fields = config["loss"] if config["loss"]["name"] == declared.name else {}
        loss = build_component(declared, fields, spec)
    task: Task = build_component(config.components["task"], config["task"], model, loss, spec)
    return task


def build_updaters(config: Config, task: Task, settings: TrainerSettings, device: torch.device) -> dict[str, Updater]:
    """One updater a role; none for a task with a rule of its own."""
    if config["optim"]["name"] == "none":
        return {}
    recipe = build_component(config.components["optim"], config["optim"])
    recipe.check_roles(task.roles)
    updaters = {}
    for role, module in task.roles.items():
        optimizer = recipe.build(role, module)
        updaters[role] = Updater(
            module,
            optimizer,
            build_component(config.components["schedule"], config["schedule"]),
            Precision(settings.precision, device),
            FiniteGuard(optimizer, device),
            others=[other for name, other in task.roles.items() if name != role],
            accumulate=settings.accumulate,
            clip_norm=settings.clip_norm,
            clip_value=settings.clip_value,
        )
    return updaters


def followed_metric(name: str | None, mode: str, task: Task) -> tuple[str, str] | None:
    """(metric, direction) that a setting names, or the task's main metric; None where it has none."""
    if name is not None:
        return name, metric_direction(name, mode)
    if task.main_metric is None:
        return None
    metric, direction = task.main_metric
    return f"val/{metric}", direction if mode == "auto" else mode


def build_early_stopping(settings: TrainerSettings, task: Task) -> EarlyStopping | None:
    rule = settings.early_stopping
    followed = followed_metric(rule.metric, rule.mode, task)
    if rule.patience is None or followed is None:
        return None
    return EarlyStopping(*followed, rule.patience, rule.min_delta)


def check_followed_metrics(config: Config, task: Task, dataset: Dataset) -> None:
    """What waits for a metric must get one; found out before the first step.

    Raises:
        ConfigError: Where a rule follows a metric that no evaluation reports, with those that there are.
    """
    settings, policy = config["trainer"], config["trainer"]["checkpoint"]
    early_stopping = settings["early_stopping"]["patience"] is not None
    followers = {  # Key to the metric that it names, and whether it follows one at all.
        "trainer.early_stopping.metric": (settings["early_stopping"]["metric"], early_stopping),
        "trainer.checkpoint.metric": (policy["metric"], settings["test"] == "best"),
        "schedule.metric": (config["schedule"].get("metric"), "metric" in config["schedule"]),
    }
    if not any(metric or follows for metric, follows in followers.values()):
        return
    known = {f"val/{name}" for name in evaluate(task, dataset.evaluation("val"))} if "val" in dataset.sizes else set()
    there = f"there are {', '.join(sorted(known))}" if known else "the data has no validation split"
    for key, (metric, follows) in followers.items():
        if metric is not None and metric not in known:
            raise ConfigError(f"{key}={metric}: no evaluation reports it; {there}", f"{key}=null follows the task")
        if follows and metric is None and (task.main_metric is None or not known):
            raise ConfigError(
                f"{key}: a metric must be followed, and the task has no main one; {there}", f"{key}=val/…"
            )
    if settings["test"] == "best" and policy["keep_best"] == 0:
        raise ConfigError("trainer.test=best, but no best checkpoint is kept", "trainer.checkpoint.keep_best=1")


def build_trainer(parts: Parts, run: RunFolder) -> Trainer:
    """The trainer with everything it needs but its observers."""
    settings = parts.settings
    policy = settings.checkpoint
    metric, direction = followed_metric(policy.metric, policy.mode, parts.task) or (None, "min")
    return Trainer(
        task=parts.task,
        updaters=parts.updaters,
        data=parts.dataset,
        checkpoints=CheckpointStore(
            run.checkpoints,
            keep_last=policy.keep_last,
            keep_best=policy.keep_best,
            metric=metric,
            direction=direction,
        ),
        settings=settings,
        seed=parts.config["seed"],
        device=parts.device,
        autocast=Precision(settings.precision, parts.device).autocast,
        early_stopping=build_early_stopping(settings, parts.task),
        every_n_steps=parts.logger.every_n_steps,
    )
