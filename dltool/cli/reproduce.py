"""`dltool reproduce`: run an experiment's seeds again and compare the results with its YAML."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltool.cli.request import add_overrides, add_trust_argument, command_words, compose_jobs, refuse_torchrun
from dltool.config.tree import leaves
from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.declarations.options import option_files

SUMMARY = "run an experiment's seeds again and compare with its record"
EXAMPLES = """\
examples:
  dltool list experiment                                the measured values and their references
  dltool reproduce gan_gaussians
  dltool reproduce lenet_mnist data.root=FOLDER --seeds 0,1 sweep.n_jobs=2

exit code 1: a mean differs from the recorded one by more than three standard errors.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", help="its name in `dltool list experiment`")
    add_overrides(parser, "where the data is, sweep.n_jobs=N, …")
    parser.add_argument("--seeds", metavar="0,1,2", help="other seeds than the recorded ones")
    parser.add_argument(
        "--config-dir", action="append", default=[], type=Path, metavar="FOLDER", help="your own experiments too"
    )
    parser.add_argument("--quiet", action="store_true", help="print only the comparison")
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> int:
    from dltool.search.grid import expand
    from dltool.search.record import Record, read_record
    from dltool.search.reproduce import reproduce
    from dltool.search.settings import SweepSettings, split_settings
    from dltool.search.sweep import Sweep

    refuse_torchrun("reproduction")
    name = args.experiment
    path = experiment_file(name, args.config_dir)
    record = read_record(path) or Record()
    seeds = read_seeds(args.seeds) if args.seeds else [str(seed) for seed in record.seeds]
    if not seeds:
        raise ConfigError(f"{path} records no seeds", "--seeds 0,1,2 names the seeds to run")
    fields, overrides = split_settings("sweep", args.overrides)
    args.source = None
    jobs = expand([f"experiment={name}", *overrides, f"seed={','.join(seeds)}"], args.config_dir)
    if len(jobs) != len(seeds):
        raise ConfigError("reproduce takes one value for each key", "dltool train -m runs a sweep")
    trainings = compose_jobs(args, jobs)
    note_other_data(name, trainings[0].config, args.config_dir)
    sweep = Sweep(SweepSettings(**fields), jobs, trainings, words=command_words(args), quiet=args.quiet)
    return reproduce(name, record, sweep)


def experiment_file(name: str, config_dirs: Sequence[Path]) -> Path:
    """The YAML of an experiment. Raises ConfigError with the nearest name if there is none."""
    files = option_files("experiment", config_dirs)
    if name not in files:
        near = nearest(name, files)
        raise ConfigError(
            f"there is no experiment {name}; the experiments are {', '.join(files)}",
            f"did you mean {near}?" if near else "`dltool list experiment` describes them",
        )
    return files[name]


def note_other_data(name: str, config: Mapping[str, Any], config_dirs: Sequence[Path]) -> None:
    """Print which key makes the data another than that of the experiment, if one does."""
    from dltool.config.data_roles import identifying_keys
    from dltool.search.experiment_config import experiment_config
    from dltool.search.experiment_header import read_header

    header = read_header(option_files("experiment", config_dirs)[name])
    if (recorded := experiment_config(name, header, config_dirs)) is None:
        return
    before = dict(leaves(recorded.tree))
    for key in identifying_keys(recorded):
        if config.get(key) != before[key]:
            print(
                f"note: {key} is {config.get(key)}, but {before[key]} in the experiment: these are other data than "
                "those of the record",
                file=sys.stderr,
            )
            return


def read_seeds(text: str) -> list[str]:
    seeds = [seed.strip() for seed in text.split(",")]
    if not all(seed.isdecimal() for seed in seeds):
        raise ConfigError(f"--seeds {text}: integers separated by commas are needed", "--seeds 0,1,2")
    return list(dict.fromkeys(seeds))
