"""The results of a sweep: a CSV row per job, and the settings ranked over their seeds and folds."""

import io
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text

from dltool.core.errors import ConfigError
from dltool.core.safe_path import SafePath
from dltool.core.spreadsheet import CsvWriter
from dltool.metrics.directions import declared_direction
from dltool.runs.definition import comparable_metric, definitions, main_metric
from dltool.runs.paired import REPEATS, held_out_ratio_of
from dltool.runs.repetitions import describe_form, describe_mean
from dltool.search.folder import Result


@dataclass(frozen=True)
class Standing:
    """One setting of the sweep with all of its repetitions.

    Attributes:
        swept: The values of the setting, without those of REPEATS.
        results: Those of its finished jobs.
        values: The metric of each of them that reported it.
        metric: Its name.
    """

    swept: dict[str, str]
    results: list[Result]
    values: list[float]
    metric: str

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values) if self.values else float("nan")

    @property
    def num_parameters(self) -> int | None:
        return next((result.parameters for result in self.results if result.parameters is not None), None)

    def describe(self) -> str:
        if not self.values:
            return "-"
        configs = [result.config or {} for result in self.results]
        return describe_mean(self.values, held_out_ratio_of(configs, self.metric))


def ranking_metric(results: Sequence[Result], metric: str | None, mode: str) -> tuple[str, str] | None:
    """The metric to rank by, and its direction.

    The metric that the user named; else the main metric of the first job that has one, on the test split if no job
    has reported it on the validation split. None if no metric is available.

    Raises:
        ConfigError: The user named a metric without a mode, and nothing declares its direction.
    """
    if metric is not None:
        direction = declared_direction(metric) if mode == "auto" else mode
        if direction is None:
            problem = "neither the metric nor a task declares whether lower or higher is better"
            raise ConfigError(f"sweep.metric={metric}: {problem}", "sweep.mode=min, or sweep.mode=max")
        return metric, direction
    reported = {name for result in results for name in result.metrics or {}}
    return main_metric((result.main_metric for result in results), reported)


def same_meaning(results: Sequence[Result], metric: str) -> dict[str, list[Result]]:
    """The finished results by the metric's definition, as text of the settings that differ in it."""
    finished = [result for result in results if result.state == "finished"]
    groups: dict[str, list[Result]] = {}
    for result, meaning in zip(finished, definitions(metric, [r.config or {} for r in finished]), strict=True):
        groups.setdefault(meaning, []).append(result)
    return groups


def shared_ranking(results: Sequence[Result], metric: str) -> tuple[str, str] | None:
    """A metric with one definition in all finished results, for one that has several, and its direction."""
    finished = [result for result in results if result.state == "finished"]
    return comparable_metric(metric, [(result.config or {}, result.metrics or {}) for result in finished])


def standings(results: Sequence[Result], metric: str, direction: str) -> list[Standing]:
    """The settings, best mean first; those that did not report the metric come last."""
    groups: dict[tuple[tuple[str, str], ...], list[Result]] = {}
    for result in results:
        setting = tuple((key, value) for key, value in result.job.swept.items() if key not in REPEATS)
        groups.setdefault(setting, []).append(result)
    ranked = []
    for setting, members in groups.items():
        finished = [result for result in members if result.state == "finished"]
        values = [result.metrics[metric] for result in finished if result.metrics and metric in result.metrics]
        ranked.append(Standing(dict(setting), finished, values, metric))
    sign = 1 if direction == "min" else -1
    return sorted(ranked, key=lambda s: (s.mean != s.mean, sign * s.mean if s.mean == s.mean else 0.0))


def leaderboard(ranked: Sequence[Standing], metric: str, direction: str) -> Table:
    """The ranked settings as a table, with the same metric on the other held-out splits."""
    test_metric = metric.replace("val/", "test/", 1) if metric.startswith("val/") else None
    best = "smallest" if direction == "min" else "largest"
    swept = {key for standing in ranked for result in standing.results for key in result.job.swept}
    over = " and ".join(key for key in REPEATS if key in swept)
    form = describe_form([len(standing.values) for standing in ranked])
    spread = ": " * bool(form) + form + f" over {over}" * bool(form and over)
    table = Table(box=box.ROUNDED, title=f"by {metric}, {best} first{spread}", title_justify="left")
    keys = list(dict.fromkeys(key for standing in ranked for key in standing.swept))
    for key in keys:
        table.add_column(key)
    for name in (metric, test_metric):
        if name is not None:
            table.add_column(name, justify="right")
    table.add_column("n", justify="right")
    sizes = [standing.num_parameters for standing in ranked]
    if with_sizes := len(set(sizes)) > 1:
        table.add_column("parameters", justify="right")
    table.add_column("seconds", justify="right")
    for standing in ranked:
        row = [standing.swept.get(key, "") for key in keys] + [standing.describe()]
        if test_metric is not None:
            tested = [r.metrics[test_metric] for r in standing.results if r.metrics and test_metric in r.metrics]
            row.append(Standing(standing.swept, standing.results, tested, test_metric).describe())
        seconds = [result.seconds for result in standing.results]
        row.append(str(len(standing.values)))
        if with_sizes:
            row.append("-" if standing.num_parameters is None else f"{standing.num_parameters:,}")
        row += [f"{statistics.fmean(seconds):.1f}" if seconds else "-"]
        table.add_row(*map(Text, row))  # "[64]" is a value, not markup.
    return table


def write_csv(path: Path, results: Sequence[Result]) -> None:
    """Replace sweep.csv: a row per job, the swept values first, then the state, then every metric."""
    swept = list(dict.fromkeys(key for result in results for key in result.job.swept))
    metrics = list(dict.fromkeys(name for result in results for name in result.metrics or {}))
    text = io.StringIO()
    rows = CsvWriter(text)
    rows.writerow(["job", *swept, "state", *metrics, "step", "epoch", "seconds", "stopped_by", "error", "run"])
    for result in results:
        measured = result.metrics or {}
        rows.writerow(
            [
                result.job.number,
                *(result.job.swept.get(key, "") for key in swept),
                result.state,
                *(measured.get(name, "") for name in metrics),
                result.step,
                result.epoch,
                f"{result.seconds:.2f}",
                result.stopped_by or "",
                result.error or "",
                result.path,
            ]
        )
    SafePath(path.parent, path.name).write(text.getvalue())
