"""The curves of several runs in one figure: a panel per metric, a line per run or per group of seeds."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltool.figures.drawing import (
    MARKERS_UP_TO,
    STYLE,
    make_figure,
    num_panel_columns,
    save_figure,
    scale_metric_axis,
    scale_progress_axis,
)
from dltool.figures.fonts import fonts_for
from dltool.runs.catalog import RunRecord
from dltool.runs.comparison import NO_CONFIG, labels
from dltool.runs.folder import METRICS
from dltool.runs.records import read_records

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes

NUM_DISTINCT_COLORS = 10  # The colours of tab10; more curves use turbo.
MAX_LEGEND = 24
LEGEND_CHARACTERS_PER_INCH = 11


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
            line["step"] / scale: float(line[metric])
            for line in self.lines
            if isinstance(line.get(metric), int | float) and not math.isnan(scale)
        }


@dataclass(frozen=True)
class Curve:
    """A metric over steps or epochs, of one run or of several that differ only in the seed.

    Attributes:
        points: (x, mean, standard deviation with n - 1), by x; the deviation is 0 for a single run.
    """

    label: str
    points: list[tuple[float, float, float]]


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


def draw_runs(logs: Sequence[RunLog], metrics: Sequence[str], path: Path, *, unit: str, group: bool) -> None:
    """Draw the figure and write it.

    Args:
        logs: The runs, at least one.
        metrics: One panel each, such as "val/loss".
        path: Of the figure, in any format that matplotlib writes.
        unit: Of the x-axis, "step" or "epoch".
        group: Draw the mean and a band of one standard deviation of the runs that differ only in the seed.
    """
    import matplotlib

    panels = {metric: make_curves(logs, metric, unit, group=group) for metric in metrics}
    names = [curve.label for curve in panels[metrics[0]]]
    num_columns = num_panel_columns(len(panels))
    num_rows = math.ceil(len(panels) / num_columns)
    width = max(1.2 + 4.8 * num_columns, 7.2)
    title = common_title(logs)
    with fonts_for(title, *names, *metrics), matplotlib.rc_context(STYLE):
        legend_rows = math.ceil(min(len(names), MAX_LEGEND) / legend_columns(names, width))
        figure = make_figure(width, 0.9 + 3.5 * num_rows + 0.22 * legend_rows)
        figure.suptitle(title, fontsize=16)
        for place, (metric, curves) in enumerate(panels.items(), start=1):
            axes = figure.add_subplot(num_rows, num_columns, place)
            for curve, color in zip(curves, colors(len(curves)), strict=True):
                draw_curve(axes, curve, color)
            scale_metric_axis(axes, metric, (mean for curve in curves for _, mean, _ in curve.points))
            scale_progress_axis(axes, unit, max((x for curve in curves for x, _, _ in curve.points), default=1.0))
        notes = ["bands: one standard deviation over the seeds"] if group else []
        if len(names) > MAX_LEGEND:
            notes.append(f"the first {MAX_LEGEND} of {len(names)} curves")
        figure.legend(
            figure.axes[0].get_lines()[:MAX_LEGEND],
            names[:MAX_LEGEND],
            loc="outside lower left",
            ncols=legend_columns(names, width),
            title=", ".join(notes) or None,
            alignment="left",
            title_fontproperties={"size": 10},
        )
        save_figure(figure, path)


def draw_curve(axes: "Axes", curve: Curve, color: Any) -> None:
    xs, means, spreads = zip(*curve.points, strict=True) if curve.points else ((), (), ())
    axes.plot(xs, means, color=color, label=curve.label, marker="o" if len(xs) <= MARKERS_UP_TO else None, markersize=4)
    if any(spreads):
        low = [mean - spread for mean, spread in zip(means, spreads, strict=True)]
        high = [mean + spread for mean, spread in zip(means, spreads, strict=True)]
        axes.fill_between(xs, low, high, color=color, alpha=0.2, linewidth=0)


def legend_columns(names: Sequence[str], width: float) -> int:
    """How many entries fit side by side into this many inches."""
    longest = max(map(len, names)) + 4
    return max(1, min(len(names), int(width * LEGEND_CHARACTERS_PER_INCH / longest)))


def colors(count: int) -> list[Any]:
    import matplotlib

    if count <= NUM_DISTINCT_COLORS:
        return [matplotlib.colormaps["tab10"](place) for place in range(count)]
    return [matplotlib.colormaps["turbo"](place / (count - 1)) for place in range(count)]


def common_title(logs: Sequence[RunLog]) -> str:
    """The common part of all runs: "lenet on digits", "digits", or the number of runs."""
    models = {log.record.config.get("model.name") for log in logs}
    data = {log.record.config.get("data.name") for log in logs}
    model, dataset = (str(names.pop()) if len(names) == 1 else "" for names in (models, data))
    runs = f"{len(logs)} runs"
    return f"{model} on {dataset}" if model and dataset else f"{runs} on {dataset}" if dataset else model or runs
