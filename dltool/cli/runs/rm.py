"""`dltool runs rm`: remove runs, or their checkpoints only."""

import argparse
import sys

from dltool.cli.runs.show import as_size
from dltool.core.errors import ConfigError
from dltool.core.numerals import counted
from dltool.core.printable import printable
from dltool.core.shell import quoted
from dltool.runs.selection import select

SUMMARY = "remove runs, or only their checkpoints; asks first"
EXAMPLES = """\
examples:
  dltool runs rm 12-00-00_lenet_digits
  dltool runs rm state=failed --yes
  dltool runs rm 'date<2026-01' --checkpoints        keeps configs, metrics and figures
"""
MAX_NAMED = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="RUN|FILTER", help="runs, or filters that each must satisfy")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--checkpoints", action="store_true", help="remove the checkpoints, keep the rest")


def run(args: argparse.Namespace) -> int:
    from dltool.runs.description import num_bytes
    from dltool.runs.removal import check_removable, remove

    if not args.words:
        raise ConfigError("no run is named", "dltool runs rm RUN, or a filter such as state=failed")
    records = select(args.words, args.root)
    if not records:
        print(f"no run matches {' '.join(args.words)}; nothing was removed")
        return 0
    check_removable(records, args.root)
    what = "the checkpoints of " if args.checkpoints else ""
    runs = what + counted(len(records), "run")
    if not args.yes:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise ConfigError(f"no terminal to confirm the removal of {runs}", "--yes removes without asking")
        for record in records[:MAX_NAMED]:
            print(f"{printable(quoted(record.path))}  {record.state}")
        if len(records) > MAX_NAMED:
            print(f"… and {len(records) - MAX_NAMED:,} more")
        size = sum(num_bytes(r.path / "checkpoints" if args.checkpoints else r.path) for r in records)
        if not confirmed(f"remove {runs}, {as_size(size)}? [y/N] "):
            print("nothing was removed")
            return 0
    freed = remove(records, args.root, checkpoints_only=args.checkpoints)
    print(f"removed {runs}: {freed / 1e6:,.1f} MB freed")
    return 0


def confirmed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False
