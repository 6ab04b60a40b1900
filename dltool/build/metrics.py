"""Builds the metrics of a model's outputs that `task.metrics` names."""

from collections.abc import Sequence
from typing import TypeVar

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.shell import setting
from dltool.core.spec import DataSpec
from dltool.declarations.construct import build_component
from dltool.declarations.registry import registrations
from dltool.declarations.source import component
from dltool.metrics.metric import Metric
from dltool.tasks.task import Task

DEFAULTS = {
    "classes": ["accuracy"],
    "binary": ["accuracy"],
    "labels": ["f1_micro", "f1_macro", "exact_match", "label_accuracy"],
    "tags": ["accuracy"],
    "numbers": ["mae", "rmse"],
}

AnyTask = TypeVar("AnyTask", bound=Task)


def with_metrics(task: AnyTask, spec: DataSpec) -> AnyTask:
    """The same task with the metrics that it names, if any.

    Raises:
        ConfigError: See chosen_metrics.
    """
    if task.metric_names is None or task.metric_names:
        task.use_metrics(chosen_metrics(task.metric_names, spec))
    return task


def chosen_metrics(names: Sequence[str] | None, spec: DataSpec) -> dict[str, Metric]:
    """Name to metric, each once, in the order of the names; None stands for the defaults for the data's targets.

    Raises:
        ConfigError: If a name is not a metric, or does not fit the targets.
    """
    chosen = DEFAULTS[spec.target] if names is None else names
    fitting = [name for name in registrations()["metric"] if fits(name, spec)]
    metrics = {}
    for name in chosen:
        if name not in fitting:
            exists = name in registrations()["metric"]
            near = None if exists else nearest(name, fitting)
            problem = f"does not fit targets that are {spec.target}" if exists else "no such metric exists"
            raise ConfigError(
                f"task.metrics: {name}: {problem}; those that fit are {', '.join(sorted(fitting))}",
                f"did you mean {near}?" if near else setting("task.metrics", DEFAULTS[spec.target]),
            )
        metrics[name] = build_component(component("metric", name), {}, spec, base=Metric)
    return metrics


def fits(name: str, spec: DataSpec) -> bool:
    """Whether a registered metric is for outputs and these targets; those of two classes are for any data with two."""
    traits = component("metric", name).traits
    kinds = {spec.target, "binary"} if spec.target == "classes" and spec.num_classes == 2 else {spec.target}
    return traits.of == "outputs" and not kinds.isdisjoint(traits.targets)
