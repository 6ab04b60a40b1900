"""`dltool runs ACTION …`: the existing runs, from their folders only; one file per action."""

import argparse
from pathlib import Path
from types import ModuleType

from dltool.cli.runs import compare, list, plot, rm, show
from dltool.cli.verb import add_verb
from dltool.core.errors import ConfigError
from dltool.core.process import OUTPUT_ROOT

SUMMARY = "list, show, compare, plot and remove runs"
EXAMPLES = """\
examples:
  dltool runs                                        the runs below outputs/, the newest first
  dltool runs model=lenet 'test/accuracy>=0.98' --sort test/accuracy
  dltool runs show 12-00-00_lenet_digits             its settings and results
  dltool runs compare RUN RUN                        the differences
  dltool runs plot model=mlp --metric val/loss       several curves in one figure
  dltool runs rm state=failed                        asks before removing

RUN is a path, or the end of one that is unique below the root. A filter is KEY=VALUE, KEY!=VALUE or, quoted because
of the shell, 'KEY<VALUE', '<=', '>' or '>='; a key is a config key, a metric, or state, date, step, epoch,
seconds; `'model=le*'` is short for `'model.name=le*'`. `dltool runs ACTION --help` has more.
"""
ACTIONS: dict[str, ModuleType] = {"list": list, "show": show, "compare": compare, "plot": plot, "rm": rm}
DEFAULT_ACTION = "list"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, module in ACTIONS.items():
        action = add_verb(actions, name, module)
        action.set_defaults(actions=tuple(ACTIONS))  # `list` names them in the error for an unknown argument.
        action.add_argument(
            "--root",
            type=Path,
            default=OUTPUT_ROOT,
            metavar="FOLDER",
            help="the folder of the runs; outputs/ by default",
        )
        action.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    if not args.root.is_dir() and (args.root != OUTPUT_ROOT or args.root.exists()):
        raise ConfigError(f"--root {args.root.resolve()} is not a folder", "name the folder of the runs")
    code: int = ACTIONS[args.action].run(args)
    return code
