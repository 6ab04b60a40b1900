"""From the names in `task.metrics` to metrics."""

from collections.abc import Sequence

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.shell import setting
from dltool.core.spec import DataSpec
from dltool.declarations.construct import build_component
from dltool.declarations.registry import registrations
from dltool.declarations.source import component
from dltool.metrics.metric import Metric

DEFAULTS = {"classes": ["accuracy"], "binary": ["accuracy"], "tags": ["accuracy"], "numbers": ["mae", "rmse"]}


def chosen_metrics(names: Sequence[str] | None, spec: DataSpec) -> dict[str, Metric]:
    """Name to metric, each once, in the order of the names; None stands for the usual ones of the data's targets.

    Raises:
        ConfigError: For a name that is no metric, or one that does not fit the targets.
    """
    fitting = [name for name in registrations()["metric"] if spec.target in component("metric", name).traits.targets]
    metrics = {}
    for name in DEFAULTS[spec.target] if names is None else names:
        if name not in fitting:
            exists = name in registrations()["metric"]
            near = None if exists else nearest(name, fitting)
            problem = f"does not fit targets that are {spec.target}" if exists else "there is no such metric"
            raise ConfigError(
                f"task.metrics: {name}: {problem}; those that fit are {', '.join(sorted(fitting))}",
                f"did you mean {near}?" if near else setting("task.metrics", DEFAULTS[spec.target]),
            )
        metrics[name] = build_component(component("metric", name), {}, spec)
    return metrics
