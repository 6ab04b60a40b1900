"""`dltool tune`: search a space of settings, ending poor trials early."""

import argparse
import importlib.util
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltool.cli.request import add_config_arguments, command_words, compose_request, refuse_torchrun
from dltool.config.tree import leaves
from dltool.core.distribution import install
from dltool.core.errors import ConfigError
from dltool.core.process import OUTPUT_ROOT

if TYPE_CHECKING:
    from dltool.config.check import Config
    from dltool.config.compose import Composed
    from dltool.search.space import Dimension

SUMMARY = "search for the best settings, ending poor trials early"
EXAMPLES = """\
examples:
  dltool tune model=mlp 'optim.lr=tag(log,interval(1e-4,1e-1))' 'model.hidden=[32],[128],[64,64]'
  dltool tune data=iris model=mlp 'optim.lr=interval(0.001,0.1)' tune.study=iris tune.trials=40 tune.n_jobs=2
  dltool tune model=lenet 'optim.lr=interval(1e-4,1e-2)' tune.pruner=hyperband tune.metric=val/loss

The same command with tune.study=iris tune.trials=80 continues that study, from this shell or another.
a space: interval(a,b)  int(interval(a,b))  tag(log,interval(a,b))  range(a,b,step)  a,b,c  glob(l*); others are fixed.
"""
STUDIES = OUTPUT_ROOT / "studies"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument("--quiet", action="store_true", help="print only errors and the study's folder")


def run(args: argparse.Namespace) -> int:
    from dltool.search.settings import TuneSettings, split_settings
    from dltool.search.space import read_space

    refuse_torchrun("study")
    fields, overrides = split_settings("tune", args.overrides)
    settings = TuneSettings(**fields)
    if any(text.startswith("run.dir=") for text in overrides):
        raise ConfigError("run.dir names one run, but a study creates a folder for each trial", "tune.study=NAME")
    name = settings.study or time.strftime("%Y-%m-%d_%H-%M-%S")
    if not re.fullmatch(r"[\w-][\w.-]*", name):
        raise ConfigError(f"tune.study={name}: a name has letters, digits, -, _ and .", "tune.study=first")
    space, fixed = read_space(overrides, args.config_dir)
    config, *others = check_space(args, space, fixed)
    if importlib.util.find_spec("optuna") is None:
        raise ConfigError("dltool tune needs the package optuna, which is not installed", install("tune"))

    from dltool.config.trusted_code import trusted_code
    from dltool.search.study import Study
    from dltool.search.tune import Tuning, find_metric
    from dltool.search.workers import Workers, warm_up

    workers: Workers[Any] = Workers(settings.n_jobs)
    warm_up()
    metric, direction = find_metric(config, settings)
    check_one_meaning(metric, [config, *others])
    shared = dict(leaves(config.tree)) | trusted_code()
    study = Study(STUDIES / name, name, settings, metric=metric, direction=direction, space=space, config=shared)
    if settings.cluster == "ray":
        from dltool.search.ray_jobs import RayWorkers

        workers = RayWorkers("tune.cluster", settings.n_jobs, study.path)

    def compose(overrides: list[str]) -> "tuple[Composed, dict[str, Any], Path]":
        return compose_request(args, overrides)

    return Tuning(study, fixed, compose, command_words(args), workers, args.quiet).run()


def check_space(args: argparse.Namespace, space: "list[Dimension]", fixed: list[str]) -> "list[Config]":
    """Compose and check both ends of every dimension, with the others at their first value; the first config first.

    Raises:
        ConfigError: For the first invalid value.
    """
    from dltool.config.check import check

    firsts = [f"{dimension.key}={dimension.extremes()[0]}" for dimension in space]
    found = []
    for i, dimension in enumerate(space):
        for value in dimension.extremes()[1:]:
            words = [*firsts[:i], f"{dimension.key}={value}", *firsts[i + 1 :]]
            found.append(check(compose_request(args, [*fixed, *words])[0]))
    return [check(compose_request(args, [*fixed, *firsts])[0]), *found]


def check_one_meaning(metric: str, configs: "Sequence[Config]") -> None:
    """Raises ConfigError if the metric has several definitions in a space, so that no trial is better than another."""
    from dltool.runs.definition import definitions

    meanings = dict.fromkeys(definitions(metric, [dict(leaves(config.tree)) for config in configs]))
    if len(meanings) > 1:
        raise ConfigError(
            f"{metric} has different definitions in this space: {'; '.join(meanings)}",
            "tune.metric of a metric that does not depend on them, such as tune.metric=val/accuracy",
        )
