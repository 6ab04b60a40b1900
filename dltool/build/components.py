"""Builds each part of a training from its config group."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dltool.attacks.adversary import Adversary
from dltool.attacks.attack import Attack
from dltool.build.metrics import with_metrics
from dltool.config.check import Config, check_rules, resolve_loss
from dltool.config.settings import ModelSettings, TrainerSettings
from dltool.core.errors import ConfigError
from dltool.core.randomness import derive_seed, seed_default_generators
from dltool.core.spec import DataSpec
from dltool.data.contents import recorded_contents
from dltool.data.dataset import Dataset
from dltool.data.fitted import Fitted
from dltool.data.own_augmentation import ImageAugmentation, OwnVariation
from dltool.declarations.construct import arguments, build_component, place_of_component
from dltool.declarations.source import Component
from dltool.distributed.batch_norm import synchronize_batch_norm
from dltool.distributed.team import SOLO, Team
from dltool.engine.freezing import freeze
from dltool.engine.guard import FiniteGuard
from dltool.engine.initial import set_initial
from dltool.engine.pieces import Pieces
from dltool.engine.precision import Precision
from dltool.engine.updater import Updater
from dltool.losses.criterion import Criterion
from dltool.models.trial import check_outputs
from dltool.tasks.task import Task
from dltool.trust.importing import failures_placed
from dltool.trust.sources import trusted_file


def build_data(
    config: Config,
    device: torch.device,
    *,
    fitted: Fitted | None = None,
    cut: bool = True,
    approximate: bool = False,
) -> Dataset:
    """The data set, loaded, checked, split, scaled and ready for batches. See Dataset.prepare.

    Raises:
        DataError: If it is missing, damaged or not in the declared format.
    """
    declared = config.components["data"]
    dataset: Dataset = build_component(declared, config["data"], base=Dataset)
    own = build_augmentation(config)
    unknown = trusted_file(declared.module) is not None  # How it reads its data.
    with (
        failures_placed(declared.module),
        failures_placed(config.components["augment"].module),
        recorded_contents(of_samples=unknown) as dataset.contents,
    ):
        dataset.prepare(
            seed=config["seed"],
            device=device,
            model_traits=model_traits(config),
            pixel_scaling=config.components["task"].traits.pixels,
            channels_last=config["trainer"]["channels_last"],
            fitted=fitted,
            cut=cut,
            approximate=approximate,
            augmentation=own,
        )
    return dataset


def build_augmentation(config: Config) -> OwnVariation | None:
    """The user's own augmentation; None if the config has none."""
    declared = config.components["augment"]
    return (
        None
        if declared.name == "none"
        else OwnVariation(declared.name, build_component(declared, config["augment"], base=ImageAugmentation))
    )


def model_traits(config: Config) -> dict[str, Any]:
    """The traits of the model; those that depend on the architecture for the chosen one."""
    arch = config["model"].get("arch")
    return {
        key: value.get(arch, value["*"]) if isinstance(value, dict) else value
        for key, value in vars(config.components["model"].traits).items()
        if value is not None
    }


def with_targets(config: Config, spec: DataSpec) -> Config:
    """The config with the kind of targets that the loaded data has, if its registration leaves that open (`csv`).

    Checking a config opens no data, so that a run can be used without it. The loss that `auto` stands for and the
    rules about targets are therefore resolved here, still before the first step.

    Raises:
        ConfigError: If the loss, the model or the task does not fit the targets.
    """
    data = config.components["data"]
    if data.traits.targets != "auto":
        return config
    known = dataclasses.replace(data, traits=dataclasses.replace(data.traits, targets=spec.target))
    components = config.components | {"data": known}
    if "loss" in components and (loss := resolve_loss(components)) is not None:
        components["loss"] = loss
    check_rules(config.tree, components)
    return dataclasses.replace(config, components=components)


def output_dim(spec: DataSpec, head: str | None) -> int:
    """Width of the model's last layer, by the trait `head` of the loss (or of a task without a loss); else one unit."""
    num_classes = spec.num_target_tokens or spec.num_classes
    of_target = spec.target_dim if spec.target == "numbers" else num_classes
    of_decision = spec.num_classes if spec.target == "labels" else 1
    widths = {"classes": num_classes, "one": of_decision, "numbers": spec.target_dim, "targets": of_target, None: 1}
    return widths[head]


def build_spec(config: Config, dataset: Dataset) -> DataSpec:
    """The description of the data, with the width of the model's last layer.

    Raises:
        ConfigError: The loss compares classes, and the data has only one.
    """
    head = config.components.get("loss", config.components["task"]).traits.head
    if head == "classes" and dataset.spec.target == "classes" and dataset.spec.num_classes == 1:
        name = dataset.spec.class_names[0]
        raise ConfigError(f"every sample has the class {name}: there is nothing to classify", "data=NAME, or model=gan")
    return dataclasses.replace(dataset.spec, output_dim=output_dim(dataset.spec, head))


def build_model(config: Config, spec: DataSpec, device: torch.device, team: Team = SOLO) -> nn.Module:
    """The model with its initial weights, from the seed or `model.initial`, frozen as in `model.freeze`."""
    seed_default_generators(derive_seed(config["seed"], "initialization"), torch.device("cpu"))
    declared = config.components["model"]
    model: nn.Module = build_component(declared, config["model"], spec, base=nn.Module)
    settings = model_settings(config)
    if settings.initial is not None:
        set_initial(model, settings.initial)
    freeze(model, settings.freeze)
    if team.size > 1 and config["trainer"]["sync_batch_norm"]:
        synchronize_batch_norm(model, team)
    model = model.to(device)
    return model.to(memory_format=torch.channels_last) if config["trainer"]["channels_last"] else model


def model_settings(config: Config) -> ModelSettings:
    return ModelSettings(**arguments(config.components["model"].shared_fields, config["model"]))


def check_trusted_model(config: Config, task: Task, spec: DataSpec) -> None:
    """Check that a trusted model has the methods that the task needs, and that its outputs fit the targets.

    Raises:
        ConfigError: It does not; with its file and line.
    """
    declared = config.components["model"]
    if not trusted_file(declared.module):
        return
    name = f"{place_of_component(declared)}: model={declared.name}"
    if missing := task.missing_methods():
        raise ConfigError(
            f"{name} has no method {missing[0]}(), which task={config.components['task'].name} calls",
            "dltool init --example language_model and translator write complete models of sequences",
        )
    if trial := task.trial(spec):
        check_outputs(task.model, spec, name, *trial)


def build_task(config: Config, model: nn.Module, spec: DataSpec) -> Task:
    loss = None
    if declared := config.components.get("loss"):
        fields = config["loss"] if config["loss"]["name"] == declared.name else {}
        loss = build_component(declared, fields, spec, base=Criterion if declared.traits.targets else None)
    declared = config.components["task"]
    attacked = [build_adversary(config, spec)] if declared.traits.attacked else []
    if not attacked and config["attack"]["name"] != "none":
        raise ConfigError(
            f"attack={config['attack']['name']}: task={declared.name} does not classify images, so it has no attack",
            "attack=none",
        )
    task: Task = build_component(declared, config["task"], model, loss, spec, *attacked, base=Task)
    if trusted_file(declared.module):
        check_trusted_task(declared, task)
    return with_metrics(task, spec)


def build_sized_task(config: Config, model: nn.Module, spec: DataSpec, dataset: Dataset) -> Task:
    """The task for a training on this data, whose size decides its automatic penalty."""
    task = build_task(config, model, spec)
    size = dataset.sizes.get("train", 0)
    task.use_training_size(size, size / dataset.train.batches_per_epoch, held_out=dataset.held_out)
    return task


def check_trusted_task(declared: Component, task: Task) -> None:
    """Check that a trusted task has what the trainer needs.

    Raises:
        ConfigError: It lacks a method, or parameters that are trained are not in its checkpoints.
    """
    name = f"{place_of_component(declared)}: task={declared.name}"
    hint = "dltool init --example two_optimizers writes a complete task"
    own = type(task)
    if own.evaluate is Task.evaluate:
        raise ConfigError(f"{name} has no evaluate(batch), which measures a batch of held-out data", hint)
    if own.loss is Task.loss and own.train_step is Task.train_step:
        raise ConfigError(f"{name} has neither loss(batch) nor train_step(source, updaters)", hint)
    saved = {tensor.data_ptr() for tensor in tensors_in(task.state_dict())}
    saved |= {tensor.data_ptr() for tensor in task.model.state_dict().values()}
    for role, module in task.roles.items():
        if lost := [key for key, one in module.named_parameters() if one.data_ptr() not in saved]:
            raise ConfigError(
                f"{name} trains {lost[0]} of the role {role}, which no checkpoint contains: not part of the model",
                "return it in the task's state_dict(), restore it in load_state_dict(), or make it a part of the model",
            )


def tensors_in(state: Any) -> Iterator[Tensor]:
    """The tensors in nested mappings and sequences."""
    if isinstance(state, Tensor):
        yield state
    elif isinstance(state, Mapping | Sequence) and not isinstance(state, str):
        for one in state.values() if isinstance(state, Mapping) else state:
            yield from tensors_in(one)


def build_adversary(config: Config, spec: DataSpec) -> Adversary | None:
    if config["attack"]["name"] == "none":
        return None
    return Adversary(build_component(config.components["attack"], config["attack"], base=Attack), spec)


def build_updaters(
    config: Config, task: Task, settings: TrainerSettings, dataset: Dataset, team: Team = SOLO
) -> dict[str, Updater]:
    """One updater per role; empty for a task with its own update rule. Divides the batches of several processes."""
    device = dataset.device
    if config["optim"]["name"] == "none":
        return {}
    recipe = build_component(config.components["optim"], config["optim"])
    recipe.check_roles(task.roles)
    count = team.size if settings.accumulate == 1 else settings.accumulate
    pieces = Pieces(count, team, seed=config["seed"], device=device)
    if team.size > 1:
        dataset.train.divide(pieces.rows_of)
    updaters = {}
    for role, module in task.roles.items():
        optimizer = recipe.build(role, module, task.model)
        updaters[role] = Updater(
            module,
            optimizer,
            build_component(config.components["schedule"], config["schedule"]),
            Precision(settings.precision, device),
            FiniteGuard(optimizer, device),
            others=[other for name, other in task.roles.items() if name != role],
            pieces=pieces,
            clip_norm=settings.clip_norm,
            clip_value=settings.clip_value,
        )
    return updaters
