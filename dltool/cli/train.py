"""`dltool train`: compose, check, build, train, test."""

import argparse
from pathlib import Path

from dltool.cli.request import (
    add_config_arguments,
    command_words,
    compose_jobs,
    read_config,
    refuse_torchrun,
    source_of,
)
from dltool.core.errors import ConfigError
from dltool.core.process import OUTPUT_ROOT, launched_rank
from dltool.core.shell import quoted

SUMMARY = "train a model, or with -m a sweep"
EXAMPLES = """\
examples:
  dltool train model=lenet optim=adam
  dltool train model=mlp data=breast_cancer optim=sgd optim.lr=0.1 schedule=cosine trainer.epochs=50
  dltool train model=gan data=gaussians trainer.steps=5000
  dltool train experiment=lenet_mnist data.root=FOLDER seed=3
  dltool train --from outputs/2026-01-31/12-00-00_lenet_digits optim.lr=1e-4
  dltool train -m model=mlp,lenet optim.lr=1e-2,1e-3 'seed=range(0,3)' sweep.n_jobs=2
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument(
        "-m", "--multirun", action="store_true", help="train every combination: a,b  choice(a,b)  range(1,4)  glob(l*)"
    )
    parser.add_argument("--quiet", action="store_true", help="print only errors and the run folder")
    parser.add_argument("--cfg", choices=["job"], help="print the composed config and stop")


def run(args: argparse.Namespace) -> int:
    if args.multirun:
        refuse_torchrun("sweep")
        return run_sweep(args)
    from dltool.runs.folder import RunFolder

    config, built = read_config(args)
    if args.cfg:
        from dltool.cli.show import print_yaml

        print_yaml(config)
        return 0
    if launched_rank() == 0:  # Which writes.
        RunFolder.check_creatable(config["run"]["dir"], OUTPUT_ROOT)
    from dltool.training.train import train

    source = source_of(args.source)[0] if args.source else Path()
    return train(config, built, quiet=args.quiet, source=source).exit_code


def run_sweep(args: argparse.Namespace) -> int:
    """Compose and check every job, then train them; with --cfg job, only list them."""
    from dltool.search.grid import expand
    from dltool.search.launchers import split_launcher
    from dltool.search.settings import SweepSettings, split_settings
    from dltool.search.sweep import Sweep

    launcher, launcher_settings, overrides = split_launcher(args.overrides)
    fields, overrides = split_settings("sweep", overrides)
    if launcher and fields["cluster"]:
        raise ConfigError(f"sweep.cluster={fields['cluster']} and hydra/launcher={launcher} are two", "leave out one")
    if any(text.startswith("run.dir=") for text in overrides):
        raise ConfigError("run.dir names one run, but a sweep creates a folder for each", "sweep.dir=FOLDER")
    jobs = expand(overrides, args.config_dir)
    trainings = compose_jobs(args, jobs, in_processes=launcher is None and not args.cfg)
    words = command_words(args)
    if args.cfg:
        for job in jobs:
            print(quoted("dltool", "train", *words, *job.overrides))
        return 0
    return Sweep(
        SweepSettings(**fields),
        jobs,
        trainings,
        words=words,
        launcher=(launcher, launcher_settings) if launcher else None,
        quiet=args.quiet,
    ).run()
