"""`dltool runs compare`: the differences between runs, side by side."""

import argparse
from collections.abc import Sequence
from typing import Any

from dltool.cli.runs.groups import run_groups
from dltool.cli.tables import print_table
from dltool.core.errors import ConfigError
from dltool.core.numerals import counted
from dltool.core.printable import printable
from dltool.core.shell import quoted
from dltool.runs.catalog import RunRecord, as_metric, as_text
from dltool.runs.comparison import MISSING, as_json, differing_config, differing_environment, distinguishing_keys
from dltool.runs.data_record import different_data
from dltool.runs.selection import select

SUMMARY = "the differences between runs: config, metrics, environment, side by side"
EXAMPLES = """\
examples:
  dltool runs compare outputs/2026-01-31/12-00-00_lenet_digits 12-05-00_mlp_digits
  dltool runs compare model=lenet date=2026-01-31
  dltool runs compare outputs/2026-01-31/12-00-00_sweep --group optim --metric test/accuracy

--group KEY,… compares settings instead of runs: the mean of a metric for each value of the keys, and the difference of
each two with a 95 % confidence interval and a paired test. Runs are paired by seed, data.fold and data.split_seed.
A sweep's folder stands for all of its runs.
"""
RESULTS = ("state", "step", "epoch", "seconds", "samples_per_second", "error")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="RUN", help="two or more runs, or filters")
    parser.add_argument("--group", metavar="KEY,KEY", help="compare the values of these keys, over seeds and folds")
    parser.add_argument(
        "--metric", metavar="NAME", help="of --group; default: a metric that all runs have, on test data"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    if args.group is not None:
        return run_groups(args)
    if args.metric is not None:
        raise ConfigError("--metric is the metric by which --group compares", "--group KEY")
    records = select(args.words, args.root, folders=True) if args.words else []
    if len(records) < 2:
        raise ConfigError(
            f"{counted(len(records), 'run')} to compare, two are needed",
            "dltool runs compare RUN RUN, or filters that several runs satisfy",
        )
    config = differing_config(records)
    first = distinguishing_keys(records)
    config = {key: config[key] for key in [*first, *(key for key in config if key not in first)]}
    names = dict.fromkeys(name for record in records for name in record.metrics)
    metrics = {name: [record.metrics.get(name, MISSING) for record in records] for name in names}
    results = {key: [record.value(key) for record in records] for key in RESULTS}
    environment = differing_environment(records)
    if args.json:
        paths = [str(record.path) for record in records]
        sections = {"config": config, "metrics": metrics, "results": results, "environment": environment}
        print(as_json({"runs": paths, **sections}))
    else:
        print_comparison(records, config, metrics | results, environment)
    return 0


def print_comparison(
    records: Sequence[RunRecord],
    config: "dict[str, list[Any]]",
    results: "dict[str, list[Any]]",
    environment: "dict[str, list[Any]]",
) -> None:
    """Print a table with a column per run and a row per key, below the runs' paths and column names."""
    letters = [str(number) for number in range(1, len(records) + 1)]
    for letter, record in zip(letters, records, strict=True):
        print(f"{letter}  {printable(quoted(record.path))}")
    rows: list[list[str]] = []
    for title, section in (("config", config), ("results", results), ("environment", environment)):
        as_cell = as_result if section is results else as_setting
        found = [[f"  {key}", *map(as_cell, column)] for key, column in section.items()]
        found = [row for row in found if any(row[1:])]
        rows += [[f"{title}: no difference"] + [""] * len(records)] if not found else []
        rows += [[title] + [""] * len(records), *found] if found else []
    print()
    print_table(["", *letters], rows)
    if groups := different_data([record.path for record in records]):
        numbers = {record.path: letter for letter, record in zip(letters, records, strict=True)}
        listed = "; ".join(", ".join(numbers[path] for path in group) for group in groups)
        print(f"\nnot the same data: {listed} (environment: data), so their metrics may not be comparable")


def as_setting(value: Any) -> str:
    return "" if value is MISSING else printable(as_text(value))


def as_result(value: Any) -> str:
    if value is MISSING or value is None:
        return ""
    return as_metric(value) if isinstance(value, float) else printable(as_text(value))
