"""From a checked config to objects: the only place where a name becomes a class."""

import dataclasses
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dltool.attacks.adversary import Adversary
from dltool.config.check import Config, check_rules, resolve_loss, stands_for
from dltool.config.settings import LoggerSettings, ModelSettings, StopSettings, TrainerSettings
from dltool.core.errors import ConfigError
from dltool.core.randomness import derive_seed, seed_default_generators
from dltool.core.spec import DataSpec
from dltool.data.dataset import Dataset
from dltool.data.preprocessing import Fitted
from dltool.declarations.construct import arguments, build_component, to_python
from dltool.declarations.source import component
from dltool.engine.anomaly import AnomalyDetector
from dltool.engine.averaging import WeightAverage
from dltool.engine.checkpoint import CheckpointStore
from dltool.engine.clock import Clock
from dltool.engine.compiling import compile_networks
from dltool.engine.convergence import BatchGradientNorm, FullGradientNorm, UpdateNorm
from dltool.engine.device import choose_device, choose_threads, describe_device, keep_freed_memory
from dltool.engine.freezing import freeze
from dltool.engine.guard import FiniteGuard
from dltool.engine.monitored_metric import check_followed_metrics, check_gradient_rules, check_reported, followed_metric
from dltool.engine.precision import Precision
from dltool.engine.profiling import StepProfiler
from dltool.engine.signals import Interrupted
from dltool.engine.stopping import LossChange, MaxMinutes, Patience, Rule, Stopping, Target
from dltool.engine.trainer import Trainer
from dltool.engine.updater import Updater
from dltool.introspection.forward_memory import sample_bytes
from dltool.models.trial import check_outputs
from dltool.optim.optimizer import describe_factors
from dltool.runs.folder import RunFolder
from dltool.sample_quality.attach import attach_judge, classifier_of
from dltool.sample_quality.classifier import AnyClassifier
from dltool.sample_quality.reference_classifier import Trained
from dltool.tasks.task import Task
from dltool.tasks.views import averaged_over, several_looks
from dltool.trust.importing import failures_placed
from dltool.trust.sources import trusted_file
from dltool.warm_start.from_data import initialize_from_data
from dltool.warm_start.load import start
from dltool.warm_start.warm_start import WarmStart


@dataclass
class Parts:
    """Everything that a config becomes, short of the trainer and its run folder.

    Attributes:
        auto: Dotted key to what each automatic choice became.
        notes: The same in words, for a person.
        warm_start: What became of the weights that `init_from` or `model.weights` names, or None.
    """

    config: Config
    settings: TrainerSettings
    stop: StopSettings
    logger: LoggerSettings
    device: torch.device
    dataset: Dataset
    spec: DataSpec
    task: Task
    updaters: dict[str, Updater]
    auto: dict[str, Any]
    notes: list[str]
    warm_start: WarmStart | None = None

    @property
    def autocast(self) -> Any:
        """What the networks compute under, outside an updater."""
        return Precision(self.settings.precision, self.device).autocast


def prepare(
    config: Config,
    followed: tuple[str, str | None] | None = None,
    *,
    resumed: bool = False,
    judged: bool = True,
    approximate: bool = False,
) -> Parts:
    """Choose the device, load the data, build model, loss, task and optimizers.

    Args:
        config: What to build.
        followed: A setting outside the config and the metric that it names, which the training must report.
        resumed: The weights will come from a checkpoint of this training, so that no others are read, and none are
            computed from the data.
        judged: Evaluations are to measure samples as `task.metrics` says, for which a classifier may have to be trained
            now; without, only what is wrong there is found, and no evaluation measures samples.
        approximate: Nothing is trained for its result; see Dataset.prepare.

    Raises:
        ConfigError, DataError: For what can only be known now. Nothing is written yet.
    """
    settings = build_component(config.components["trainer"], config["trainer"])
    stop = to_python(component("root", "train").fields["stop"].kind, config["stop"])
    logger = build_component(config.components["logger"], config["logger"])
    device = choose_device(settings.device)
    torch.set_num_threads(choose_threads(settings.threads))
    if device.type == "cpu":
        keep_freed_memory()
    dataset = build_data(config, device, approximate=approximate)
    config = with_targets(config, dataset.spec)
    if settings.overfit_batches is not None:
        dataset.repeat_first_batches(settings.overfit_batches)
    if settings.limit_batches is not None:
        dataset.keep_first_batches(settings.limit_batches)
    spec = build_spec(config, dataset)
    model = build_model(config, spec, device)
    dataset.fit_eval_batch(partial(sample_bytes, model, spec))
    looked = [] if resumed else initialize_from_data(model, dataset)
    started = None if resumed else start(model, config)
    check_trusted_model(config, model, spec)
    task = build_task(config, model, spec)
    updaters = build_updaters(config, task, settings, device)
    if settings.compile:
        compile_networks(task, device)
    attach_judge(task, config["data"], dataset, device, train_aside if judged else None)
    check_followed_metrics(config, stop, task, dataset)
    check_gradient_rules(stop, task)
    averaged_over(task, settings.test_views, spec)  # Says now what the final test would find wrong.
    if followed is not None:
        check_reported(*followed, task, dataset)
    choices = getattr(model, "choices", {})
    auto = {"trainer.device": str(device), "trainer.threads": torch.get_num_threads(), **dataset.choices}
    auto |= {f"model.{key}": value for key, value in choices.items()}
    notes = [f"device     {describe_device(device)}", *(f"data       {note}" for note in dataset.notes)]
    if config["loss"]["name"] == "auto" and config.chosen_loss:
        notes.append(f"loss       {config.chosen_loss} (for {config['data']['name']})")
    notes += [f"model      {key}={value} (for inputs of {spec.describe_input()})" for key, value in choices.items()]
    notes += [f"weights    {note}" for note in looked]
    notes += [f"weights    {note}" for note in (started.notes() if started else ())]
    if factors := config["optim"].get("lr_factors"):
        notes.append(f"rates      {describe_factors(factors, [updater.optimizer for updater in updaters.values()])}")
    if settings.average.kind != "none":
        notes.append(f"average    {settings.average.kind}: evaluations, samples and the test use the averaged weights")
    if layout := [name for name in ("channels_last", "compile") if getattr(settings, name)]:
        notes.append(f"speed      {', '.join(layout)}")
    return Parts(config, settings, stop, logger, device, dataset, spec, task, updaters, auto, notes, started)


def build_data(
    config: Config,
    device: torch.device,
    *,
    fitted: Fitted | None = None,
    cut: bool = True,
    approximate: bool = False,
) -> Dataset:
    """The data set, loaded, checked, split, scaled and ready to be drawn from. See Dataset.prepare.

    Raises:
        DataError: Where it is missing, damaged or not what it claims to be.
    """
    declared = config.components["data"]
    dataset: Dataset = build_component(declared, config["data"])
    with failures_placed(declared.module):
        dataset.prepare(
            seed=config["seed"],
            device=device,
            model_traits=model_traits(config),
            pixel_scaling=config.components["task"].traits.pixels,
            channels_last=config["trainer"]["channels_last"],
            fitted=fitted,
            cut=cut,
            approximate=approximate,
        )
    return dataset


def model_traits(config: Config) -> dict[str, Any]:
    """What the model is registered with; of what differs between its architectures, that of the chosen one."""
    arch = config["model"].get("arch")
    return {
        key: value.get(arch, value["*"]) if isinstance(value, dict) else value
        for key, value in vars(config.components["model"].traits).items()
        if value is not None
    }


def with_targets(config: Config, spec: DataSpec) -> Config:
    """The config, once the data says what its targets are, where its registration leaves that open (`csv`).

    A check of a config alone opens no data, so that a run can be used without it. What waits for the targets, the
    loss that `auto` stands for and the rules about them, is settled here, still before the first step.

    Raises:
        ConfigError: The loss, the model or the task does not fit the targets.
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
    """Width of the model's last layer, as the trait `head` of the loss (or of a task without) says; else one unit."""
    num_classes = spec.num_target_tokens or spec.num_classes
    of_target = spec.target_dim if spec.target == "numbers" else num_classes
    widths = {"classes": num_classes, "one": 1, "numbers": spec.target_dim, "targets": of_target, None: 1}
    return widths[head]


def build_spec(config: Config, dataset: Dataset) -> DataSpec:
    head = config.components.get("loss", config.components["task"]).traits.head
    return dataclasses.replace(dataset.spec, output_dim=output_dim(dataset.spec, head))


def build_model(config: Config, spec: DataSpec, device: torch.device) -> nn.Module:
    """The model with its initial weights, a function of the seed, and frozen where `model.freeze` says so."""
    seed_default_generators(derive_seed(config["seed"], "initialization"), torch.device("cpu"))
    declared = config.components["model"]
    model: nn.Module = build_component(declared, config["model"], spec)
    freeze(model, ModelSettings(**arguments(declared.shared_fields, config["model"])).freeze)
    model = model.to(device)
    return model.to(memory_format=torch.channels_last) if config["trainer"]["channels_last"] else model


def check_trusted_model(config: Config, model: nn.Module, spec: DataSpec) -> None:
    """A model that the command line trusts, where it is to learn from targets, must give what those take."""
    declared = config.components["model"]
    if trusted_file(declared.module) and "supervised" in stands_for(config.components["task"]):
        check_outputs(model, spec, f"model={declared.name}")


def build_task(config: Config, model: nn.Module, spec: DataSpec) -> Task:
    loss = None
    if declared := config.components.get("loss"):
        fields = config["loss"] if config["loss"]["name"] == declared.name else {}
        loss = build_component(declared, fields, spec)
    declared = config.components["task"]
    attacked = [build_adversary(config, spec)] if declared.traits.attacked else []
    if not attacked and config["attack"]["name"] != "none":
        raise ConfigError(
            f"attack={config['attack']['name']}: task={declared.name} tells no images apart, which could be mistaken",
            "attack=none",
        )
    task: Task = build_component(declared, config["task"], model, loss, spec, *attacked)
    return task


def build_adversary(config: Config, spec: DataSpec) -> Adversary | None:
    if config["attack"]["name"] == "none":
        return None
    return Adversary(build_component(config.components["attack"], config["attack"]), spec)


def build_updaters(config: Config, task: Task, settings: TrainerSettings, device: torch.device) -> dict[str, Updater]:
    """One updater a role; none for a task with a rule of its own."""
    if config["optim"]["name"] == "none":
        return {}
    recipe = build_component(config.components["optim"], config["optim"])
    recipe.check_roles(task.roles)
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
            accumulate=settings.accumulate,
            clip_norm=settings.clip_norm,
            clip_value=settings.clip_value,
        )
    return updaters


def build_stopping(parts: Parts, clock: Clock) -> Stopping:
    """The rules that are switched on, in the order of their keys."""
    stop, task = parts.stop, parts.task
    rules: list[Rule] = []
    if stop.max_minutes is not None:
        rules.append(MaxMinutes(clock, stop.max_minutes))
    if followed := followed_metric(stop.metric, stop.mode, task):
        if stop.target is not None:
            rules.append(Target(*followed, stop.target))
        if stop.patience is not None:
            rules.append(Patience(*followed, stop.patience, stop.min_delta))
    if stop.loss_change is not None:
        rules.append(LossChange(f"{stop.loss}/loss", stop.loss_change, stop.num_evaluations))
    if stop.gradient_norm is not None and stop.gradient == "batch":
        rules.append(BatchGradientNorm(parts.updaters, stop.gradient_norm))
    elif stop.gradient_norm is not None:
        rules.append(FullGradientNorm(task, parts.dataset, parts.autocast, stop.gradient_norm))
    if stop.update_norm is not None:
        rules.append(UpdateNorm(task.model, stop.update_norm))
    return Stopping(rules, stop.every_n_steps)


def build_average(parts: Parts) -> WeightAverage | None:
    settings = parts.settings.average
    if settings.kind == "none":
        return None
    return WeightAverage(parts.task.model, settings, partial(parts.dataset.evaluation, "train"), parts.autocast)


def build_trainer(parts: Parts, run: RunFolder) -> Trainer:
    """The trainer with everything it needs but its observers."""
    settings = parts.settings
    policy, clock = settings.checkpoint, Clock()
    metric, direction = followed_metric(policy.metric, policy.mode, parts.task) or (None, "min")
    trainer = Trainer(
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
        autocast=parts.autocast,
        stopping=build_stopping(parts, clock),
        several_looks=partial(several_looks, parts.task, settings.test_views, parts.spec),
        average=build_average(parts),
        clock=clock,
        every_n_steps=parts.logger.every_n_steps,
    )
    if settings.detect_anomaly:
        trainer.around_step = AnomalyDetector(parts.task.model, trainer.progress)
    if settings.profile_steps is not None:
        profiler = StepProfiler(run.profile, settings.profile_steps, parts.device)
        trainer.around_step, trainer.observers = profiler, [profiler]
    return trainer


def train_aside(config: Config) -> Trained:
    """Train from the beginning without a run folder: what another training needs before it can begin.

    Raises:
        KeyboardInterrupt: After a signal; nothing is kept.
    """
    parts = prepare(config)
    with tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(parts, RunFolder(Path(folder)))
        try:
            trainer.fit()
        except Interrupted as signal:
            raise KeyboardInterrupt from signal
    dataset = parts.dataset
    return Trained(
        parts.task.model, parts.spec, dataset.preprocessing, dict(trainer.progress.metrics), dict(dataset.sizes)
    )


def reference_classifier(data: Mapping[str, Any], device: torch.device) -> AnyClassifier:
    """A classifier of a data set's images, trained now or before: `reference_classifier({"name": "digits"}, device)`.

    Called with uint8 pixels `(B, C, H, W)` it gives logits `(B, num_classes)`; `see` gives features too.
    """
    return classifier_of(data, None, device, train_aside)
