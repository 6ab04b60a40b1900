"""`dltool runs list`: the runs that satisfy the filters, one line each."""

import argparse
import sys
import time
from collections.abc import Sequence

from dltool.cli.tables import GAP, cell_width, print_table, terminal_width
from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.numerals import counted
from dltool.core.printable import printable
from dltool.core.shell import quoted
from dltool.core.spreadsheet import CsvWriter
from dltool.runs.catalog import RunRecord, as_text, known_keys, read_runs
from dltool.runs.columns import cell, listed_metrics
from dltool.runs.comparison import as_json, distinguishing_keys, short_key
from dltool.runs.definition import definitions
from dltool.runs.selection import FILTER, filtered, ordered, whole_key

SUMMARY = "one line per run: its state, its distinguishing settings, its results"
EXAMPLES = """\
examples:
  dltool runs list model=lenet state=finished --sort test/accuracy
  dltool runs list 'optim.lr<=0.01' 'date=2026-11-2*' --columns optim.lr,val/loss
  dltool runs list --csv > runs.csv                  every config key and every metric, for a spreadsheet or pandas
"""
TERMINAL_LIMIT = 40
STATE_STYLES = {"finished": "green", "running": "cyan", "failed": "red", "damaged": "red"}
MAKE_ONE = "dltool train model=lenet optim=adam"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="FILTER", help="KEY=VALUE, KEY!=VALUE, 'KEY<VALUE', …")
    parser.add_argument("--sort", metavar="KEY", help="metrics best first, others ascending; default: newest first")
    direction = parser.add_mutually_exclusive_group()
    direction.add_argument("--descending", action="store_true", default=None, help="largest first")
    direction.add_argument("--ascending", action="store_false", dest="descending", help="smallest first")
    parser.add_argument(
        "--columns", metavar="KEY,KEY", help="config keys and metrics to show instead of the default ones"
    )
    parser.add_argument(
        "--limit",
        type=int,
        metavar="N",
        help=f"maximum number of runs, 0 for all; default on a terminal: {TERMINAL_LIMIT}",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print everything about each run as JSON")
    form.add_argument("--csv", action="store_true", help="print CSV, a line per run, a column per key")


def run(args: argparse.Namespace) -> int:
    refuse_odd_words(args)
    records = read_runs(args.root)
    if not records and not (args.json or args.csv):
        print(f"no runs in {args.root} yet; make one with: {MAKE_ONE}")
        return 0
    chosen = filtered(records, args.words)
    known = known_keys(records)
    sort = whole_key(args.sort or "date", known, "--sort") if records else "date"
    if records and (args.sort or args.descending is not None):
        chosen = ordered(chosen, sort, args.descending)
    keys = [whole_key(word, known, "--columns") for word in (args.columns or "").split(",") if word] if records else []
    is_table = not (args.json or args.csv)
    limit = args.limit if args.limit is not None else TERMINAL_LIMIT if is_table and sys.stdout.isatty() else 0
    shown = chosen[:limit] if limit else chosen
    if is_table and args.sort:
        warn_of_meanings(shown, sort)
    if args.json:
        print(as_json([record.as_dict() for record in shown]))
    elif args.csv:
        print_csv(shown, keys)
    elif not chosen:
        print(f"none of {counted(len(records), 'run')} matches {' '.join(args.words)}")
    else:
        print_runs(shown, keys, sort)
        if len(shown) < len(chosen) and sys.stdout.isatty():
            print(f"… and {len(chosen) - len(shown):,} more; --limit 0 shows all")
    return 0


def warn_of_meanings(records: Sequence[RunRecord], metric: str) -> None:
    """Say on standard error where the order by a metric compares values with different definitions."""
    measured = [record for record in records if metric in record.metrics]
    meanings = dict.fromkeys(definitions(metric, [record.config for record in measured]))
    if len(meanings) > 1:
        shown = "; ".join(meaning or "neither" for meaning in list(meanings)[:4])
        more = f"; and {len(meanings) - 4} more" if len(meanings) > 4 else ""
        print(
            f"note: {metric} has different definitions here ({shown}{more}): they are not comparable", file=sys.stderr
        )


def refuse_odd_words(args: argparse.Namespace) -> None:
    """Refuse a word that is not a filter, perhaps a mistyped action, before the folders are read."""
    for word in args.words:
        if FILTER.fullmatch(word) is None:
            near = nearest(word, args.actions)
            hint = (
                f"did you mean dltool runs {quoted(near)}?"
                if near
                else "filters are KEY=VALUE or, in quotes, 'KEY<VALUE'"
            )
            actions = ", ".join(args.actions)
            raise ConfigError(f"{word} is neither an action ({actions}) nor a filter", hint)
    if args.limit is not None and args.limit < 0:
        raise ConfigError(f"--limit {args.limit}: must be at least 0", "--limit 0 shows all")


def print_csv(records: Sequence[RunRecord], keys: Sequence[str]) -> None:
    columns = dict.fromkeys(["run", "state", *keys]) if keys else known_keys(records)
    writer = CsvWriter(sys.stdout)
    writer.writerow(columns)
    for record in records:
        values = {key: record.value(key) for key in columns}
        writer.writerow("" if value is None else as_text(value) for value in values.values())


def print_runs(records: Sequence[RunRecord], keys: Sequence[str], sort: str) -> None:
    """Run and state, then `keys`; or what distinguishes the runs, their main metrics, age and seconds, and `sort`."""
    columns = {
        "run": [printable(quoted(record.path)) for record in records],
        "state": [record.state for record in records],
    }
    if keys:
        columns |= {short_key(key): cells(records, key) for key in keys if key not in columns}
    else:
        telling = {short_key(key): cells(records, key) for key in distinguishing_keys(records)}
        shown = listed_metrics(records, sort)
        metrics = {short_key(key): cells(records, key) for key in shown if short_key(key) not in columns}
        seconds, ages = cells(records, "seconds"), [age(record.date) for record in records]
        sizes = {"parameters": cells(records, "parameters")} if len({r.parameters for r in records}) > 1 else {}
        everything = {**columns, **telling, **metrics, **sizes, "seconds": seconds, "age": ages}
        columns = fitting(everything, whole=[*columns], first=[*metrics])
    numbers = [place for place, column in enumerate(columns.values()) if place > 1 and all(map(is_numeric, column))]
    styles = [STATE_STYLES.get(record.state, "yellow") for record in records]
    print_table(list(columns), list(zip(*columns.values(), strict=True)), numbers=numbers, styles=styles, fold=False)


def cells(records: Sequence[RunRecord], key: str) -> list[str]:
    return [printable(cell(record, key)) for record in records]


def fitting(columns: dict[str, list[str]], *, whole: Sequence[str], first: Sequence[str]) -> dict[str, list[str]]:
    """The columns `whole`, and those that fit the terminal beside them, `first` before all others; in a pipe, all."""
    room = terminal_width()
    if room is None:
        return columns
    kept = set(whole)
    room -= sum(column_width(name, columns[name]) + GAP for name in whole)
    for name in dict.fromkeys([*first, *columns]):
        width = column_width(name, columns[name]) + GAP
        if name not in kept and width <= room:
            kept.add(name)
            room -= width
    return {name: texts for name, texts in columns.items() if name in kept}


def column_width(name: str, texts: Sequence[str]) -> int:
    return max(map(cell_width, [name, *texts]))


def is_numeric(text: str) -> bool:
    return not text or text[0].isdigit() or text[0] == "-" or text == "nan"


def age(date: str) -> str:
    """How long ago a run began, in the largest unit of which there are at least two."""
    try:
        seconds = time.time() - time.mktime(time.strptime(date, "%Y-%m-%d %H:%M:%S"))
    except (ValueError, OverflowError):
        return ""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
