"""The curves of several runs in one figure: a panel per metric, a line per run or per group of seeds."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dltool.figures.compared_curves import Curve
from dltool.figures.words import figure_title, word
from dltool.runs.catalog import RunRecord
from dltool.runs.comparison import NO_CONFIG, labels
from dltool.runs.folder import METRICS
from dltool.runs.records import read_records


@dataclass(frozen=True)
class RunLog:
    """A run with its logged metrics.

    Attributes:
        lines: The lines of its metrics.jsonl.
    """

    record: RunRecord
    lines: list[dict[str, Any]]

    @property
    def metrics(self) -> list[str]:
        """Every logged metric, in order of first appearance."""
        return list(dict.fromkeys(key for line in self.lines for key in line if "/" in key))

    @property
    def steps_per_epoch(self) -> float | None:
        """Steps of an epoch over the training data; None if no epoch was finished."""
        passes = [line for line in self.lines if line.get("split") == "train" and line.get("epoch")]
        return passes[-1]["step"] / passes[-1]["epoch"] if passes else None

    def points(self, metric: str, unit: str) -> dict[float, float]:
        """Values of a metric by the "step" or "epoch" at which they were measured."""
        scale = 1.0 if unit == "step" else self.steps_per_epoch or math.nan
        return {
            line.get("tested_step", line["step"]) / scale: float(line[metric])
            for line in self.lines
            if isinstance(line.get(metric), int | float) and not math.isnan(scale)
        }


def read_logs(records: Sequence[RunRecord]) -> list[RunLog]:
    return [RunLog(record, read_records(record.path / METRICS)) for record in records]


def common_metrics(logs: Sequence[RunLog]) -> list[str]:
    """The default metrics to draw: the loss that all runs have and a score of the same split.

    On the validation split if possible, else on the training split; without a common loss or score, only the other.
    """
    shared = [name for name in logs[0].metrics if all(name in log.metrics for log in logs)] if logs else []
    for split in ("val", "train", "step", "test"):
        names = [name for name in shared if name.startswith(f"{split}/") and not name.startswith(f"{split}/lr")]
        losses = [name for name in names if "loss" in name]
        scores = [name for name in names if "loss" not in name]
        if names:
            return losses[:1] + scores[:1]
    return []


def make_curves(logs: Sequence[RunLog], metric: str, unit: str, *, group: bool) -> list[Curve]:
    """One curve per run, or with `group` one per set of runs that differ only in the seed."""
    groups: dict[str, list[RunLog]] = {}
    for log in logs:
        key = repr(without(log.record.config, ["seed"])) if group else str(log.record.path)
        groups.setdefault(key, []).append(log)
    names = labels([members[0].record for members in groups.values()], without=["seed"] if group else [])
    curves = []
    for name, members in zip(names, groups.values(), strict=True):
        of_each = [log.points(metric, unit) for log in members]
        points = []
        for x in sorted(set().union(*of_each)):
            values = [values[x] for values in of_each if x in values]
            spread = statistics.stdev(values) if len(values) > 1 and all(map(math.isfinite, values)) else 0.0
            points.append((x, statistics.fmean(values), spread))
        curves.append(Curve(f"{name} (n={len(members)})" if group else name, points))
    return curves


def without(config: dict[str, Any], keys: Sequence[str]) -> list[tuple[str, str]]:
    """The settings of a run except some keys, and its place, to find runs that repeat each other."""
    return sorted((key, str(value)) for key, value in config.items() if key not in (*keys, *NO_CONFIG))


def common_title(logs: Sequence[RunLog]) -> str:
    """The common part of all runs in the language of the figures: "lenet on digits", "digits", or their number."""
    models = {log.record.config.get("model.name") for log in logs}
    data = {log.record.config.get("data.name") for log in logs}
    model, dataset = (str(names.pop()) if len(names) == 1 else "" for names in (models, data))
    what = model or word("{count} runs", count=len(logs))
    return figure_title(what, dataset) if dataset else what
