"""The direction of a metric, as declared by its registration or by the task that reports it; without torch."""

import ast
import warnings
from fnmatch import fnmatchcase
from typing import Literal, cast

from dltool.core.errors import ConfigError
from dltool.declarations.registry import registrations
from dltool.declarations.source import SourceModule, component, source_module
from dltool.trust.sources import trusted_file

Direction = Literal["min", "max"]
ATTRIBUTE = "metric_directions"  # The attribute of a task's class.


def declared_direction(metric: str) -> Direction | None:
    """The direction that a registered metric or task declares for a metric such as "val/loss"; None if none does."""
    name = metric.rpartition("/")[2]
    for registered in registrations()["metric"]:
        if name in reported_by(registered):
            return direction_of_value(registered, name)
    for task in registrations()["task"]:
        declared = component("task", task)
        for pattern, direction in class_directions(source_module(declared.module), declared.attribute).items():
            if fnmatchcase(name, pattern):
                return direction
    return None


def reported_by(registered: str, network: str | None = None) -> list[str]:
    """The names under which a registered metric reports its values: its trait `reports`, or its own name.

    Args:
        registered: Its name.
        network: The network of the features, "lenet" or "inception", if the names depend on it; None gives the names
            for all networks.
    """
    reports = component("metric", registered).traits.reports or (registered,)
    if isinstance(reports, dict):
        return [name for key, names in reports.items() if network in (None, key) for name in names]
    return list(reports)


def direction_of_value(registered: str, name: str) -> Direction | None:
    """The direction that a registered metric declares for one of its values."""
    declared = component("metric", registered)
    direction = declared.traits.direction
    if direction is None and trusted_file(declared.module) is not None:
        return direction_by_name(registered, name)
    return cast("Direction | None", direction.get(name) if isinstance(direction, dict) else direction)


def direction_by_name(registered: str, name: str) -> Direction:
    """The direction by the words of the name, for metrics in trusted files that do not declare one yet."""
    smaller = {"loss", "error", "mae", "mse", "rmse", "perplexity", "penalty", "nll", "neg", "reconstruction", "kl"}
    direction: Direction = "max" if smaller.isdisjoint(name.split("_")) else "min"
    warnings.warn(
        f'metric={registered} declares no direction, so it is guessed from its name: add direction="{direction}" to '
        "its @register; a later version will make this an error",
        FutureWarning,
        stacklevel=2,
    )
    return direction


def class_directions(home: SourceModule, name: str) -> dict[str, Direction]:
    """The attribute `metric_directions` of a class and of its bases, read from the source text."""
    module, definition = home.find(name)
    if not isinstance(definition, ast.ClassDef):
        return {}
    found: dict[str, Direction] = {}
    for node in definition.body:
        match node:
            case (
                ast.AnnAssign(target=ast.Name(id=attribute), value=ast.expr() as value)
                | ast.Assign(targets=[ast.Name(id=attribute)], value=value)
            ) if attribute == ATTRIBUTE:
                found = written_out(value, module)
    for base in definition.bases:
        if isinstance(base, ast.Name) and (base.id in module.definitions or base.id in module.imports):
            found = class_directions(module, base.id) | found
    return found


def written_out(value: ast.expr, module: SourceModule) -> dict[str, Direction]:
    """The value of a dict literal. Raises ConfigError if it cannot be read without running the file."""
    try:
        return {str(name): direction for name, direction in ast.literal_eval(value).items()}
    except (ValueError, AttributeError) as error:
        problem = f"{module.path}, line {value.lineno}: {ATTRIBUTE} must be a dict literal, as the file is not run"
        raise ConfigError(problem, f'write the dict out: {ATTRIBUTE} = {{"my_error": "min"}}') from error
