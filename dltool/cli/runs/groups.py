"""`dltool runs compare --group`: the difference of a metric between settings, with its uncertainty."""

import argparse
import math
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dltool.cli.tables import print_table
from dltool.core.errors import ConfigError
from dltool.core.numerals import numeral
from dltool.runs.catalog import known_keys
from dltool.runs.comparison import as_json, main_metrics
from dltool.runs.paired import LEAST_PAIRS, Difference, Group, compare_groups, describe_test, held_out_ratio
from dltool.runs.repetitions import mean_interval
from dltool.runs.selection import select, whole_key


def run_groups(args: argparse.Namespace) -> int:
    from dltool.metrics.directions import declared_direction

    chosen = select(args.words, args.root, folders=True)
    if not chosen:
        raise ConfigError("no runs to compare", "dltool runs compare SWEEP --group KEY, or filters")
    known = known_keys(chosen)
    keys = [whole_key(word, known, "--group") for word in args.group.split(",") if word]
    if not keys:
        raise ConfigError("--group needs a key", "--group optim")
    finished = [record for record in chosen if record.state == "finished"]
    metrics = main_metrics(finished, lambda record: record.metrics)
    metric = whole_key(args.metric, known, "--metric") if args.metric is not None else next(iter(metrics), "")
    if not metric:
        raise ConfigError(f"none of the {len(chosen)} runs is finished with a metric", "dltool runs shows their states")
    records = [record for record in finished if math.isfinite(record.metrics.get(metric, math.nan))]
    groups, differences = compare_groups(records, keys, metric)
    ratio = held_out_ratio(records, metric)
    direction = declared_direction(metric)
    omitted = len(chosen) - len(records)
    if args.json:
        print(as_json(as_tree(metric, direction, ratio, omitted, groups, differences)))
    else:
        print_groups(metric, direction, ratio, groups, differences)
    if omitted:
        print(f"{omitted} of {len(chosen)} runs left out: not finished, or without a finite {metric}", file=sys.stderr)
    return 0


def as_tree(
    metric: str,
    direction: str | None,
    ratio: float,
    omitted: int,
    groups: Sequence[Group],
    differences: Sequence[Difference],
) -> dict[str, Any]:
    """Everything for JSON."""
    return {
        "metric": metric,
        "better": direction,
        "test": describe_test(ratio),
        "held_out_ratio": ratio,
        "omitted_runs": omitted,
        "groups": [
            {
                "name": group.name,
                "n": len(group.values),
                **mean_and_std(list(group.values.values())),
                "interval": mean_interval(list(group.values.values()), ratio),
            }
            for group in groups
        ],
        "differences": [asdict(one) for one in differences],
    }


def mean_and_std(values: Sequence[float]) -> dict[str, float | None]:
    return {"mean": statistics.fmean(values), "std": statistics.stdev(values) if len(values) > 1 else None}


def print_groups(
    metric: str,
    direction: str | None,
    ratio: float,
    groups: Sequence[Group],
    differences: Sequence[Difference],
) -> None:
    better = {"min": ", lower is better", "max": ", higher is better"}.get(direction or "", "")
    print(f"{metric}{better}\n")
    rows = []
    for group in groups:
        values = mean_and_std(list(group.values.values()))
        std = "" if values["std"] is None else numeral(values["std"])
        interval = interval_text(mean_interval(list(group.values.values()), ratio))
        rows.append([group.name, str(len(group.values)), numeral(values["mean"] or 0.0), std, interval])
    print_table(["setting", "n", "mean", "std", "95 % interval"], rows, numbers=(1, 2, 3))
    print()
    with_holm = len(differences) > 1
    headings = ["difference", "pairs", "mean", "95 % interval", "p", *(["p (Holm)"] if with_holm else [])]
    print_table(headings, [row_of(one, with_holm) for one in differences], numbers=(1, 2))
    print()
    for line in dict.fromkeys(remarks(differences)):
        print(line)
    if any(one.p is not None for one in differences):
        print(describe_test(ratio))
    if with_holm:
        print("the intervals are for one difference each; p (Holm) is corrected for all of the table")


def interval_text(interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else f"{numeral(interval[0])} … {numeral(interval[1])}"


def row_of(one: Difference, with_holm: bool) -> list[str]:
    name = f"{one.second} minus {one.first}"
    p_values = [one.p, *([one.p_adjusted] if with_holm else [])]
    shown = ["-" if p is None else "<0.0001" if p < 1e-4 else f"{p:.4f}" for p in p_values]
    return [name, str(len(one.differences)), numeral(one.mean), interval_text(one.interval), *shown]


def remarks(differences: Sequence[Difference]) -> list[str]:
    """What a reader must know of the differences."""
    found = []
    for one in differences:
        count = len(one.differences)
        if count < LEAST_PAIRS:
            found.append(
                f"{count} pair{'s' * (count != 1)}: an interval and a test need at least {LEAST_PAIRS}; "
                "add seeds or folds"
            )
        elif one.p is None:
            found.append("all differences are equal: there is no spread to test with")
        if one.unpaired:
            found.append(
                f"{one.first}, {one.second}: {one.unpaired} runs without a partner are left out of the difference"
            )
        if one.also:
            found.append(f"{one.first}, {one.second}: they also differ in {', '.join(one.also)}")
    return found
