"""`dltool list`: every option of every group, one line each."""

import argparse
from pathlib import Path

from dltool.cli.request import add_trust_argument
from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.numerals import counted
from dltool.declarations.docstrings import first_line
from dltool.declarations.options import LISTED, METRIC, option_files, summary
from dltool.declarations.registry import registrations, trusted_registrations

SUMMARY = "list the options of each config group"
EXAMPLES = """\
examples:
  dltool list           every group
  dltool list optim     one group
  dltool list metric    what task.metrics can name
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("group", nargs="?", help=", ".join(LISTED))
    parser.add_argument(
        "--config-dir", action="append", default=[], type=Path, metavar="FOLDER", help="your own options too"
    )
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> int:
    if args.group is not None and args.group not in LISTED:
        near = nearest(args.group, LISTED)
        hint = f"did you mean {near}?" if near else None
        raise ConfigError(f"there is no group {args.group}; the groups are {', '.join(LISTED)}", hint)
    groups = [args.group] if args.group else list(LISTED)
    files = {group: option_files(group, args.config_dir) for group in groups if group != METRIC}
    names = {group: sorted(registrations()[METRIC]) if group == METRIC else list(files[group]) for group in groups}
    width = max((len(name) for options in names.values() for name in options), default=0)
    for i, group in enumerate(groups):
        print(f"{'' if i == 0 else chr(10)}{group}: {LISTED[group]}")
        for name in names[group]:
            path = None if group == METRIC else files[group][name]
            print(f"  {name:<{width}}  {describe(group, name, path)}".rstrip())
            if group == "experiment" and path is not None:
                print_record(path, " " * (width + 4))
    return 0


def describe(group: str, name: str, path: Path | None) -> str:
    """The option in one line; it notes if trusted code registered the option."""
    homes = [one for one in trusted_registrations() if (one.group, one.name) == (group, name)]
    text = summary(path) if path is not None and path.suffix == ".yaml" else first_line(group, name)
    return f"{text} (trusted: {homes[0].path})".lstrip() if homes else text


def print_record(path: Path, margin: str) -> None:
    """Print the measured values of an experiment, with their references."""
    from dltool.search.record import read_record

    record = read_record(path)
    if record is None or not record.metrics:
        print(f"{margin}not measured by a metric")
        return
    for name, claim in record.metrics.items():
        seeds = f", {counted(len(record.seeds), 'seed')}" if claim.measured else ""
        print(f"{margin}{name} {claim.describe()}{seeds}")
    if record.seconds is not None:
        print(f"{margin}{record.seconds:g} s on {record.machine}")
