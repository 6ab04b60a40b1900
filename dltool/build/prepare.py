"""Builds everything that a training needs from a checked config, in stages: data, model, task, metrics."""

from functools import partial

import torch

from dltool.build.components import (
    build_data,
    build_model,
    build_sized_task,
    build_spec,
    build_updaters,
    check_trusted_model,
    with_targets,
)
from dltool.build.parts import Parts
from dltool.build.sample_quality import attach_sample_evaluator
from dltool.config.check import Config
from dltool.config.settings import TrainerSettings
from dltool.data.dataset import Dataset
from dltool.declarations.construct import build_component, to_python
from dltool.declarations.source import component
from dltool.distributed.team import SOLO, Team
from dltool.engine.compiling import compile_networks
from dltool.engine.device import choose_device, choose_threads, keep_freed_memory
from dltool.engine.length import automatic_choices, resolve
from dltool.engine.monitored_metric import check_gradient_rules, check_monitored_metrics, check_reported
from dltool.introspection.forward_memory import sample_bytes
from dltool.sample_quality.reference_classifier import Train
from dltool.tasks.views import with_tta
from dltool.warm_start.from_data import initialize_from_data
from dltool.warm_start.load import load_initial_weights


def prepare(
    config: Config,
    monitored: tuple[str, str | None] | None = None,
    *,
    resumed: bool = False,
    train_classifier: Train | None = None,
    approximate: bool = False,
    team: Team = SOLO,
) -> Parts:
    """Choose the device, load the data, build model, loss, task and optimizers.

    Args:
        config: What to build.
        monitored: A setting outside the config and the metric that it names, which the training must report.
        resumed: The weights will come from a checkpoint of this training, so no others are read or computed from the
            data.
        train_classifier: Trains the classifier that evaluations need if `task.metrics` names metrics of samples
            (dltool.build.aside.train_aside). None: such metrics are checked, but no evaluation computes them.
        approximate: The result of the training is not used; see Dataset.prepare.
        team: The processes that train together.

    Raises:
        ConfigError, DataError: For errors that only the data or the built objects show. Nothing is written yet.
    """
    written: TrainerSettings = build_component(config.components["trainer"], config["trainer"])
    stop = to_python(component("root", "train").fields["stop"].kind, config["stop"])
    logger = build_component(config.components["logger"], config["logger"])
    device = prepare_device(written, team)
    dataset = prepare_data(config, written, device, approximate=approximate)
    config = with_targets(config, dataset.spec)
    spec = build_spec(config, dataset)
    model = build_model(config, spec, device, team)
    dataset.fit_eval_batch(partial(sample_bytes, model, spec))
    from_numbers = config["model"].get("initial") is not None
    weight_notes = [] if resumed or from_numbers else initialize_from_data(model, dataset)
    warm_start = None if resumed else load_initial_weights(model, config)
    task = build_sized_task(config, model, spec, dataset)
    check_trusted_model(config, task, spec)
    settings = resolve(written, dataset, task)
    updaters = build_updaters(config, task, settings, dataset, team)
    if settings.compile:
        compile_networks(task, device)
    choices = getattr(model, "choices", {})
    length = automatic_choices(written, settings)
    built = (config, settings, stop, logger, device, dataset, spec, task, updaters)
    parts = Parts(*built, choices, length, warm_start, weight_notes, team)
    prepare_measurements(parts, monitored, train_classifier)
    return parts


def prepare_device(settings: TrainerSettings, team: Team = SOLO) -> torch.device:
    """The device of this process; sets its number of threads."""
    device = choose_device(settings.device, team.local_rank, team.local_size)
    torch.set_num_threads(choose_threads(settings.threads, team.local_size))
    if device.type == "cuda" and team.size > 1:
        torch.cuda.set_device(device)
    if device.type == "cpu":
        keep_freed_memory()
    return device


def prepare_data(config: Config, settings: TrainerSettings, device: torch.device, *, approximate: bool) -> Dataset:
    """The data, or the few batches of it that the settings of a `debug` option select."""
    dataset = build_data(config, device, approximate=approximate)
    if settings.overfit_batches is not None:
        dataset.repeat_first_batches(settings.overfit_batches)
    if settings.limit_batches is not None:
        dataset.keep_first_batches(settings.limit_batches)
    return dataset


def prepare_measurements(
    parts: Parts, monitored: tuple[str, str | None] | None, train_classifier: Train | None
) -> None:
    """Build what evaluations need, and check that every metric and rule is available. See prepare."""
    config, dataset, task = parts.config, parts.dataset, parts.task
    attach_sample_evaluator(task, config["data"], dataset, parts.device, train_classifier)
    check_monitored_metrics(config, parts.stop, task, dataset)
    check_gradient_rules(parts.stop, task)
    with_tta(task, parts.settings.test_views, parts.spec)  # Finds errors now that would end the final test.
    if monitored is not None:
        check_reported(*monitored, task, dataset)
