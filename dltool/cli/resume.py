"""`dltool resume`: continue a run."""

import argparse

from dltool.cli.request import add_overrides, add_trust_argument, open_run

SUMMARY = "continue an interrupted run, or train a finished one longer"
EXAMPLES = """\
examples:
  dltool resume outputs/2026-01-31/12-00-00_lenet_digits
  dltool resume outputs/2026-01-31/12-00-00_lenet_digits trainer.epochs=40
  dltool resume outputs/2026-01-31/12-00-00_mlp_csv data.path=copy/of/table.csv

On the CPU, with the same number of threads, the result is bitwise equal to that of an uninterrupted run.
Length, stopping, checkpoints, logging, device, threads and the place of the same data may change; other data is
refused. For anything else start a new run, --from RUN.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run folder, or its name if that is unique")
    add_overrides(parser, "settings to change")
    parser.add_argument("--quiet", action="store_true", help="print only errors and the run folder")
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> int:
    from dltool.config.rerun import compose_resume
    from dltool.runs.folder import CONFIG

    folder = open_run(args.run)
    folder.check_writable()
    config, built = compose_resume(folder.path / CONFIG, args.overrides, folder.read_auto())
    from dltool.training.resume import resume

    return resume(folder, config, built, quiet=args.quiet)
