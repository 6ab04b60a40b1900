"""`dltool runs show`: one run in full."""

import argparse
from collections.abc import Sequence
from typing import Any

from dltool.cli.tables import print_table
from dltool.core.numerals import counted
from dltool.core.printable import printable
from dltool.core.shell import quoted
from dltool.runs.catalog import RunRecord, as_metric, as_text, find_run, read_run
from dltool.runs.comparison import as_json

SUMMARY = "one run in full: how it ended, metrics, config, environment, checkpoints, files"
EXAMPLES = """\
examples:
  dltool runs show outputs/2026-01-31/12-00-00_lenet_digits
  dltool runs show 12-00-00_lenet_digits             the folder's name is enough if it is unique
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder, or the end of its path")
    parser.add_argument("--json", action="store_true", help="print JSON, with the complete config")


def run(args: argparse.Namespace) -> int:
    from dltool.runs.description import describe

    record = read_run(find_run(args.run, args.root))
    known = describe(record)
    if args.json:
        print(as_json(known))
    else:
        print_run(record, known)
    return 0


def print_run(record: RunRecord, known: dict[str, Any]) -> None:
    environment = dict(known["environment"])
    command = environment.pop("command", None)
    print(printable(quoted(record.path)))
    print_section("", endings(record, command))
    print_section("metrics", [(name, as_metric(value)) for name, value in record.metrics.items()])
    print_section(
        "config (values that are not defaults)", [(key, as_text(value)) for key, value in known["changed"].items()]
    )
    auto = {key.removeprefix("auto."): environment[key] for key in environment if key.startswith("auto.")}
    print_section("auto became", [(key, as_text(value)) for key, value in auto.items()])
    rest = {
        key: value
        for key, value in environment.items()
        if not key.startswith(("auto", "resumed")) and value not in ("", [], {})
    }
    print_section("environment", [(key.removeprefix("versions."), as_text(value)) for key, value in rest.items()])
    for title in ("checkpoints", "files"):
        print_section(title, [(one["name"], as_size(one["num_bytes"]), one["note"]) for one in known[title]])


def endings(record: RunRecord, command: Any) -> list[tuple[str, str]]:
    """The run's state and the next commands; lines without content are omitted."""
    reason = f" by its {record.stopped_by.replace('_', ' ')}" if record.stopped_by else ""
    goes_on = record.state in ("interrupted", "failed", "killed")
    length = None
    if record.step is not None and record.epoch is not None:
        length = f"{counted(record.step, 'step')}, {counted(record.epoch, 'epoch')}"
    rows = [
        ("state", f"{record.state}{reason}"),
        ("error", record.error),
        ("began", record.date),
        ("length", length),
        ("time", None if record.seconds is None else f"{record.seconds:,.1f} s"),
        ("speed", f"{record.samples_per_second:,.0f} samples/s" if record.samples_per_second else None),
        ("tested", record.tested),
        ("command", quoted(*command) if isinstance(command, list) else None),
        ("resume", f"dltool resume {quoted(record.path)}" if goes_on else None),
        ("repeat", f"dltool train --from {quoted(record.path)}" if (record.path / "config.yaml").is_file() else None),
    ]
    return [(name, text) for name, text in rows if text]


def print_section(title: str, rows: Sequence[tuple[str, ...]]) -> None:
    if not rows:
        return
    if title:
        print(f"\n{title}")
    lines = [("", *map(printable, row)) for row in rows]
    print_table([""] * len(lines[0]), lines, numbers=[2] if len(lines[0]) > 3 else [])


def as_size(num_bytes: int) -> str:
    """A size in the unit that gives one to three digits before the point."""
    size = float(num_bytes)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
