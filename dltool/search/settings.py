"""The keys of a search rather than of a training: `sweep.*`, `tune.*`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dltool.config.check import check_group
from dltool.config.compose import Composed, apply_override, parse_override
from dltool.declarations.component import NonNegative, Positive, register


@register("sweep", "default")
@dataclass(frozen=True, kw_only=True)
class SweepSettings:
    """`dltool train -m`: keys of the sweep itself, set on the command line, saved in no run's config.

    Attributes:
        dir: The sweep's folder; null makes outputs/<date>/<time>_sweep. The folder of the same sweep is continued.
        n_jobs: Jobs that run in parallel, each with its share of the cores and GPUs.
        metric: The metric that ranks the settings, "val/accuracy"; null takes the task's main metric.
        mode: Its direction; "auto" is what the metric, or the task that reports it, declares.
        cluster: "ray" runs the jobs on a Ray cluster, n_jobs of them at a time, each on a node with `trainer.devices`
            free GPUs and as many CPUs; null on this machine.
    """

    dir: str | None = None
    n_jobs: Positive[int] = 1
    metric: str | None = None
    mode: Literal["auto", "min", "max"] = "auto"
    cluster: Literal["ray"] | None = None


@register("tune", "default")
@dataclass(frozen=True, kw_only=True)
class TuneSettings:
    """`dltool tune`: keys of the search itself, set on the command line, saved in no run's config.

    Attributes:
        study: Its name; its folder is outputs/studies/<study>. The same name continues it, from this shell or
            another. Null makes a new one, named by date and time.
        trials: Total number of trials of the study.
        n_jobs: Trials that this command runs in parallel.
        metric: The metric to optimize, "val/accuracy"; null takes the task's main metric.
        mode: Its direction; "auto" is what the metric, or the task that reports it, declares.
        sampler: "tpe", the tree-structured Parzen estimator (Bergstra et al. 2011), or "random".
        pruner: How trials are ended early at an evaluation: "median" (worse than the median of the earlier trials at
            the same time), "hyperband" (Li et al. 2018) or "none".
        startup_trials: Random trials at the beginning, which the median pruner does not end, before either learns.
        warmup_epochs: Evaluations of each trial that the median pruner ignores.
        seed: Of the sampler; trial k is sampled with (seed, k). The trainings have their own, `seed`.
        storage: Null keeps a journal file in the study's folder, which serves several shells and, on a shared file
            system, several machines; else an Optuna storage such as "sqlite:///study.db".
        cluster: "ray" runs the trials on a Ray cluster, n_jobs of them at a time, each on a node with
            `trainer.devices` free GPUs and as many CPUs; null on this machine.
    """

    study: str | None = None
    trials: Positive[int] = 50
    n_jobs: Positive[int] = 1
    metric: str | None = None
    mode: Literal["auto", "min", "max"] = "auto"
    sampler: Literal["tpe", "random"] = "tpe"
    pruner: Literal["median", "hyperband", "none"] = "median"
    startup_trials: Positive[int] = 5
    warmup_epochs: NonNegative[int] = 1
    seed: NonNegative[int] = 0
    storage: str | None = None
    cluster: Literal["ray"] | None = None


def split_settings(group: str, overrides: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Take the search's own keys out of the overrides, and check them.

    Args:
        group: "sweep" or "tune", registered in dltool.config.settings.
        overrides: As typed.

    Returns:
        The checked fields, complete with defaults, and the remaining overrides for the trainings.

    Raises:
        ConfigError: For an unknown key, or a value of the wrong type or range.
    """
    composed, rest = Composed(), []
    for text in overrides:
        override = parse_override(text)
        if override.key_or_group.split(".")[0] == group:
            apply_override(composed, override)
        else:
            rest.append(text)
    _, fields = check_group(group, {"name": "default", **composed.tree.get(group, {})}, composed)
    return {key: value for key, value in fields.items() if key != "name"}, rest
