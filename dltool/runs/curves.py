"""The curves of several runs over each other: a metric a panel, a line a run, or a group of seeds."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dltool.figures.compared_curves import Curve
from dltool.runs.catalog import RunRecord
from dltool.runs.comparison import NO_CONFIG, labels
from dltool.runs.folder import METRICS
from dltool.runs.records import read_records


@dataclass(frozen=True)
class RunLog:
    """A run with what it measured.

    Attributes:
        lines: Of its metrics.jsonl.
    """

    record: RunRecord
    lines: list[dict[str, Any]]

    @property
    def metrics(self) -> list[str]:
        """Every metric that it logged, in the order of the first time."""
        return list(dict.fromkeys(key for line in self.lines for key in line if "/" in key))

    @property
    def steps_per_epoch(self) -> float | None:
        """Steps of a pass over the training data, None where none was finished."""
        passes = [line for line in self.lines if line.get("split") == "train" and line.get("epoch")]
        return passes[-1]["step"] / passes[-1]["epoch"] if passes else None

    def points(self, metric: str, unit: str) -> dict[float, float]:
        """Values of a metric by the "step" or "epoch" at which they were measured."""
        scale = 1.0 if unit == "step" else self.steps_per_epoch or math.nan
        return {
            line["step"] / scale: float(line[metric])
            for line in self.lines
            if isinstance(line.get(metric), int | float) and not math.isnan(scale)
        }


def read_logs(records: Sequence[RunRecord]) -> list[RunLog]:
    return [RunLog(record, read_records(record.path / METRICS)) for record in records]


def common_metrics(logs: Sequence[RunLog]) -> list[str]:
    """What is drawn where nothing is asked for: the loss that all runs have and a score of the same split.

    The validation split if it can be, then the training; without a common loss or score, the other alone.
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
    """One curve a run, or with `group` one for all the runs that differ in the seed only."""
    groups: dict[str, list[RunLog]] = {}
    for log in logs:
        key = repr(without_seed(log.record.config)) if group else str(log.record.path)
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


def without_seed(config: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted((key, str(value)) for key, value in config.items() if key not in ("seed", *NO_CONFIG))


def common_title(logs: Sequence[RunLog]) -> str:
    """What all runs have in common: "lenet on digits", "digits", or how many there are."""
    models = {log.record.config.get("model.name") for log in logs}
    data = {log.record.config.get("data.name") for log in logs}
    model, dataset = (str(names.pop()) if len(names) == 1 else "" for names in (models, data))
    runs = f"{len(logs)} runs"
    return f"{model} on {dataset}" if model and dataset else f"{runs} on {dataset}" if dataset else model or runs
