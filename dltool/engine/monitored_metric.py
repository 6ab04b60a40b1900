"""The metrics that settings monitor (best checkpoint, plateau schedule, stopping rules), and whether they exist."""

import itertools

from dltool.config.check import Config
from dltool.config.settings import StopSettings
from dltool.core.errors import ConfigError
from dltool.core.shell import setting
from dltool.data.dataset import Dataset
from dltool.engine.evaluator import evaluate
from dltool.metrics.directions import declared_direction
from dltool.tasks.task import Task


def monitored_metric(name: str | None, mode: str, task: Task, key: str = "stop.metric") -> tuple[str, str] | None:
    """(metric, direction) that a setting names, or of the task's main metric; None if it has none.

    Args:
        name: The metric, such as "val/loss".
        mode: Its direction, or "auto".
        task: Declares the directions of its metrics.
        key: The setting, for messages.

    Raises:
        ConfigError: If the mode is "auto" and nothing declares the direction.
    """
    if name is not None:
        return name, direction_of(name, task, key) if mode == "auto" else mode
    if task.main_metric is None:
        return None
    metric, direction = task.main_metric
    return f"val/{metric}", direction if mode == "auto" else mode


def direction_of(metric: str, task: Task, key: str) -> str:
    """The direction that the task or the metric's registration declares. Raises ConfigError if neither does."""
    name = metric.rpartition("/")[2]
    if task.main_metric is not None and task.main_metric[0] == name:
        return task.main_metric[1]
    direction = task.direction_of(name) or declared_direction(metric)
    if direction is None:
        mode = key.removesuffix("metric") + "mode"
        raise ConfigError(
            f"{key}={metric}: neither the metric nor the task declares whether lower or higher is better",
            f"{mode}=min, or {mode}=max",
        )
    return direction


def check_monitored_metrics(config: Config, stop: StopSettings, task: Task, dataset: Dataset) -> None:
    """Check before the first step that every monitored metric is reported.

    Raises:
        ConfigError: If a setting monitors a metric that no evaluation reports; lists those that are reported.
    """
    settings, policy = config["trainer"], config["trainer"]["checkpoint"]
    stops_by_metric = stop.target is not None or stop.patience is not None
    change = f"{stop.loss}/loss" if stop.loss_change is not None else None
    monitors = {  # Key to the metric that it names, and whether it needs one.
        "stop.metric": (stop.metric, stops_by_metric),
        f"stop.loss_change with stop.loss={stop.loss}": (change, False),
        "trainer.stop_when_overfit=true with its val/loss": (
            "val/loss" if settings["stop_when_overfit"] is True else None,
            False,
        ),
        # What `auto` stands for is reported.
        "trainer.checkpoint.metric": (explicit(policy["metric"]), settings["test"] == "best"),
        "schedule.metric": (config["schedule"].get("metric"), "metric" in config["schedule"]),
    }
    modes = {
        "stop.metric": stop.mode,
        "trainer.checkpoint.metric": policy["mode"],
        "schedule.metric": config["schedule"].get("mode"),
    }
    if not any(metric or needed for metric, needed in monitors.values()):
        return
    known, of_training = reported_metrics(task, dataset)
    for key, (metric, needed) in monitors.items():
        reported = known | (of_training if key.startswith("stop.") else set())
        known_names = f"known: {', '.join(sorted(reported))}" if reported else "the data has no validation split"
        if metric is not None and metric not in reported:
            choice = f"{key}=null takes the task's main metric" if task.main_metric else f"{key}=… names one of them"
            hint = choice if key.endswith(".metric") else "stop.loss_change=null"
            raise ConfigError(f"{key}={metric}: no evaluation reports it; {known_names}", hint)
        if key in modes:
            monitored_metric(metric, modes[key], task, key)
        if needed and metric is None and (task.main_metric is None or not known):
            without = "" if known else ", or the data has no validation split"
            raise ConfigError(
                f"{key}: a metric is required, and the task has no main metric{without}; {known_names}", f"{key}=val/…"
            )
    if settings["test"] == "best" and policy["keep_best"] == 0:
        raise ConfigError("trainer.test=best, but no best checkpoint is kept", "trainer.checkpoint.keep_best=1")


def explicit(metric: str | None) -> str | None:
    return None if metric == "auto" else metric


def reported_metrics(task: Task, dataset: Dataset) -> tuple[set[str], set[str]]:
    """The metrics of a validation evaluation, and "train/loss" if the task has one; found by evaluating a batch."""
    split = "val" if "val" in dataset.sizes else "train"
    names = metric_names(task, dataset, split)
    return {f"val/{name}" for name in names if split == "val"}, {"train/loss"} & {f"train/{name}" for name in names}


def metric_names(task: Task, dataset: Dataset, split: str) -> list[str]:
    """The metrics of an evaluation, found by evaluating one batch; sample metrics also if nothing measures them yet."""
    names = list(evaluate(task, itertools.islice(dataset.evaluation(split), 1), split))
    return list(dict.fromkeys([*names, *task.sample_metrics.reported]))


def check_gradient_rules(stop: StopSettings, task: Task) -> None:
    """Check that the task has the gradient that `stop.gradient_norm` needs.

    Raises:
        ConfigError: If it has no gradient, or no single objective for the full gradient.
    """
    if stop.gradient_norm is None:
        return
    if not task.roles:
        raise ConfigError(
            "stop.gradient_norm: the task has no gradient", "stop.update_norm=…, or stop.gradient_norm=null"
        )
    if stop.gradient == "full" and not task.has_objective:
        raise ConfigError("stop.gradient=full: the task has no single objective", "stop.gradient=batch")


def check_reported(key: str, metric: str | None, task: Task, dataset: Dataset) -> None:
    """Check that this run reports the metric by which runs are compared.

    Raises:
        ConfigError: If no evaluation reports it. Metrics "train/…" are not checked: they are known only after a step.
    """
    if metric is None or metric.startswith("train/"):
        return
    splits = [split for split in ("val", "test") if split in dataset.sizes]
    names = metric_names(task, dataset, splits[0]) if splits else []
    known = [f"{split}/{name}" for split in splits for name in names]
    if metric not in known:
        raise ConfigError(
            f"{key}={metric}: no evaluation reports it; known: {', '.join(known) or 'none'}",
            setting(key, known[0] if known else "train/loss"),
        )
