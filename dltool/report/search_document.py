"""The document of a sweep or a study: all runs of one folder, ranked, with what their settings change."""

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.safe_read import read_json
from dltool.core.shell import quoted
from dltool.report.document import FORMAT, chart, common_rate, table
from dltool.report.run_document import finite, sections, typed_keys
from dltool.report.words import word
from dltool.runs.catalog import RunRecord, as_text, runs_of_search
from dltool.runs.comparison import (
    MISSING,
    differing_config,
    distinguishing_keys,
    main_metrics,
    read_environment,
    short_key,
)
from dltool.runs.curves import read_logs, without
from dltool.runs.definition import comparable_metric, definitions, main_metric
from dltool.runs.folder import STUDY, SWEEP
from dltool.runs.paired import REPEATS, held_out_ratio
from dltool.runs.repetitions import describe_form, describe_mean, mean_interval

NUM_BEST = 3  # Settings above the ranking.
MAX_CURVES = 24  # In one chart; the best ones.
Ranked = list[tuple[str, list[RunRecord], float]]  # The label of a setting, its repetitions, the mean of the metric.


def search_document(folder: Path, records: Sequence[RunRecord] | None = None) -> dict[str, Any]:
    """Everything that the page of a sweep or a study shows; see dltool.report.document.

    Args:
        folder: Of the search.
        records: Its runs that have begun, if they have been read.

    Raises:
        ConfigError: It has no run yet.
    """
    records = runs_of_search(folder) if records is None else records
    if not records:
        raise ConfigError(f"{folder.resolve()} has no run yet", "run the command of the sweep again")
    keys = swept_keys(records)
    metric, direction, is_comparable = ranking_metric(records)
    ranked = ranking(records, keys, metric, direction)
    kind = "study" if (folder / STUDY).is_file() else "sweep"
    sweep = read_json(folder / SWEEP) if kind == "sweep" else {}
    command, num_waiting = sweep.get("command"), max(len(sweep.get("jobs", ())) - len(records), 0)
    return {
        "format": FORMAT,
        "kind": kind,
        "title": f"{word(kind)} {folder.name}",
        "state": "running" if any(record.state == "running" for record in records) else "finished",
        "intro": intro(records, keys, metric, direction, ranked if is_comparable else [], num_waiting),
        "results": results(ranked, metric) if is_comparable else [],
        "charts": charts(ranked, metric),
        "network": None,
        "playground": None,
        "plane": None,
        "points": points(records, keys, metric, direction) if is_comparable else None,
        "sections": sections(folder),
        "tables": tables(records, keys, metric, direction, ranked),
        "messages": messages(records, metric, is_comparable),
        "commands": [{"title": "Run it again", "command": quoted(*command)}] if isinstance(command, list) else [],
    }


def results(ranked: Ranked, metric: str) -> list[dict[str, Any]]:
    """The best settings."""
    found = []
    for label, group, _ in ranked[:NUM_BEST]:
        values = values_of(group, metric)
        measured = {"n": len(values), "interval": mean_interval(values, held_out_ratio(group, metric))}
        found.append({"name": label, "value": as_value(metric, group), "beside": "", **measured})
    return found


def messages(records: Sequence[RunRecord], metric: str, is_comparable: bool) -> list[dict[str, str]]:
    """Why values cannot be compared, and which runs failed."""
    template = "{metric} has different definitions in these runs: it is ranked within each, not between them."
    found = [] if is_comparable else [word(template, metric=metric)]
    failed = [record for record in records if record.state == "failed"]
    found += [word("{run} failed: {error}", run=record.path.name, error=record.error) for record in failed]
    return [{"kind": "warning", "text": text} for text in found]


def intro(
    records: Sequence[RunRecord],
    keys: Sequence[str],
    metric: str,
    direction: str,
    ranked: Ranked,
    num_waiting: int = 0,
) -> list[str]:
    """What was compared, and which setting was best."""
    states = Counter(map(state_of, records))
    if num_waiting:
        states["waiting"] = num_waiting
    found = [
        word(
            "{count:,} runs ({states}) over {keys}, ranked by {metric}, {best} first.",
            count=len(records),
            states=", ".join(f"{count} {word(state)}" for state, count in sorted(states.items())),
            keys=", ".join(map(short_key, keys)) or word("repetitions only"),
            metric=metric,
            best=word("smallest" if direction == "min" else "largest"),
        )
    ]
    if ranked and ranked[0][0] and not math.isnan(ranked[0][2]):
        found.append(word("The best is {label}: {value}.", label=ranked[0][0], value=as_value(metric, ranked[0][1])))
    return found


def ranking_metric(records: Sequence[RunRecord]) -> tuple[str, str, bool]:
    """The metric that the runs are ranked by, "min" or "max", and whether it means the same in all runs.

    If it does not, another metric that does is taken where there is one.
    """
    declared = main_metric(
        (record.main_metric for record in records), {name for one in records for name in one.metrics}
    )
    if declared is None:
        names = main_metrics(records, lambda record: record.metrics)
        declared = (names[0] if names else "train/loss"), "min"
    finished = [record for record in records if record.state == "finished"]
    if len(set(definitions(declared[0], [record.config for record in finished]))) < 2:
        return *declared, True
    shared = comparable_metric(declared[0], [(record.config, record.metrics) for record in finished])
    return (*shared, True) if shared is not None else (*declared, False)


def ranking(records: Sequence[RunRecord], keys: Sequence[str], metric: str, direction: str) -> Ranked:
    """The settings, best mean first, those without the metric last; of several definitions of the metric one by one."""
    meanings = dict(zip(map(id, records), definitions(metric, [record.config for record in records]), strict=True))
    order = [*dict.fromkeys(meanings.values())]
    settings = [repr(without(record.config, REPEATS)) for record in records]
    groups: dict[str, list[int]] = {}
    for place, setting in enumerate(settings):
        groups.setdefault(setting, []).append(place)
    found = []
    for places in groups.values():
        members = [records[place] for place in places]
        values = values_of(members, metric)
        found.append((label_of(members[0], keys), members, statistics.fmean(values) if values else math.nan))
    sign = 1 if direction == "min" else -1

    def rank(one: tuple[str, list[RunRecord], float]) -> tuple[int, bool, float]:
        missing = math.isnan(one[2])
        return order.index(meanings[id(one[1][0])]), missing, 0 if missing else sign * one[2]

    return sorted(found, key=rank)


def label_of(record: RunRecord, keys: Sequence[str]) -> str:
    """The swept values of a run, as overrides."""
    return " ".join(f"{short_key(key)}={as_text(record.config[key])}" for key in keys if key in record.config)


def state_of(record: RunRecord) -> str:
    """The state of a run; "pruned" for a finished one that the study ended early."""
    return "pruned" if record.state == "finished" and record.stopped_by == "pruned" else record.state


def values_of(records: Sequence[RunRecord], metric: str) -> list[float]:
    """The finite values of the metric, without those of pruned runs, which are of a shorter training."""
    found = [one.metrics[metric] for one in records if metric in one.metrics and state_of(one) != "pruned"]
    return [value for value in found if math.isfinite(value)]


def as_value(metric: str, records: Sequence[RunRecord]) -> str:
    values = values_of(records, metric)
    return describe_mean(values, held_out_ratio(records, metric)) if values else "–"


def charts(ranked: Ranked, metric: str) -> list[dict[str, Any]]:
    """The metric over the steps, a line for each run of the best settings."""
    best = best_runs(ranked)
    logs = read_logs([*best.values()])
    lines = {label: finite(log.points(metric, "step")) for label, log in zip(best, logs, strict=True)}
    if not any(len(values) > 1 for values in lines.values()):
        return []
    return [chart(metric, lines, common_rate(log.steps_per_epoch for log in logs))]


def swept_keys(records: Sequence[RunRecord]) -> list[str]:
    """The keys that distinguish the runs, and those of the command that differ, apart from repetitions.

    Where one key is different in each run, as in a study, no other is needed to distinguish them.
    """
    found, typed = distinguishing_keys(records), typed_keys(read_environment(records[0]))
    found += [key for key in differing_config(records) if key in typed and key not in found]
    return [key for key in found if key not in REPEATS]


def curves_of(records: Sequence[RunRecord]) -> tuple[str, dict[str, RunRecord]]:
    """The metric of the curves, and the runs of the best settings by the labels of their curves."""
    metric, direction, _ = ranking_metric(records)
    return metric, best_runs(ranking(records, swept_keys(records), metric, direction))


def best_runs(ranked: Ranked) -> dict[str, RunRecord]:
    """The runs of the best settings by the labels of their curves."""
    best = [(label, record) for label, members, _ in ranked for record in members][:MAX_CURVES]
    found = {}
    for label, record in best:
        seed = f" seed={as_text(record.config.get('seed'))}" if len(best) > len(ranked) else ""
        found[f"{label}{seed}".strip() or record.path.name] = record
    return found


def points(records: Sequence[RunRecord], keys: Sequence[str], metric: str, direction: str) -> dict[str, Any]:
    """Each run as a point: its values of the swept keys, and its metric."""
    runs = [record for record in records if math.isfinite(record.metrics.get(metric, math.nan))]
    axes = [axis(short_key(key), [record.config.get(key) for record in runs]) for key in keys]
    return {
        "metric": metric,
        "direction": direction,
        "axes": [one for one in axes if one is not None],
        "runs": [{"label": record.path.name, "metric": record.metrics[metric]} for record in runs],
    }


def axis(name: str, values: Sequence[Any]) -> dict[str, Any] | None:
    """The values of a key as places on an axis: numbers as they are, others side by side; None for a single value."""
    if len({as_text(value) for value in values}) < 2:
        return None
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        is_log = min(values) > 0 and max(values) / min(values) >= 30
        return {"name": name, "log": is_log, "choices": None, "values": [float(value) for value in values]}
    choices = list(dict.fromkeys(as_text(value) for value in values))
    return {"name": name, "log": False, "choices": choices, "values": [choices.index(as_text(v)) for v in values]}


def tables(
    records: Sequence[RunRecord], keys: Sequence[str], metric: str, direction: str, ranked: Ranked
) -> list[dict[str, Any]]:
    """The ranking, how much each key matters, what the runs cost."""
    columns = ["setting", metric, "n", "parameters", "seconds"]
    rows = []
    for label, members, _ in ranked:
        seconds = [record.seconds for record in members if record.seconds is not None]
        size = next((record.parameters for record in members if record.parameters is not None), None)
        mean = f"{statistics.fmean(seconds):.1f}" if seconds else None
        rows.append([label, as_value(metric, members), len(values_of(members, metric)), size, mean])
    found = [
        table(
            "ranking",
            "Ranking",
            columns,
            rows,
            numbers=range(1, len(columns)),
            first=True,
            note=ranking_note(metric, [len(values_of(members, metric)) for _, members, _ in ranked]),
        )
    ]
    if shares := importance(records, keys, metric):
        note = word(
            "The share of the metric's variance that lies between the values of a key (correlation ratio η²; numbers "
            "with more than six values in quarters). It says nothing about keys that act together."
        )
        rows = [[short_key(key), f"{share:.0%}"] for key, share in shares.items()]
        found.append(
            table("importance", "Which setting matters", ["setting", "share"], rows, numbers=[1], note=note, first=True)
        )
    total = sum(record.seconds or 0 for record in records)
    runs = [
        [one.path.name, word(state_of(one)), one.metrics.get(metric), one.step, f"{one.seconds or 0:.1f}"]
        for one in records
    ]
    template = "{seconds:,.0f} s of training in all. `{command}` writes the page of one run."
    note = word(template, seconds=total, command=quoted("dltool", "report", records[0].path))
    columns = ["run", "state", metric, "step", "seconds"]
    links = [record.path.name for record in records]
    return [*found, table("runs", "The runs", columns, runs, numbers=[2, 3, 4], note=note, links=links)]


def ranking_note(metric: str, counts: Sequence[int]) -> str:
    """What the ranking shows of settings with these numbers of repetitions."""
    form = describe_form(counts)
    if not form:
        return word("Seconds are of one run.")
    template = "{metric}: {form} over n repetitions (seeds, folds). Seconds are of one run."
    return word(template, metric=metric, form=word(form))


def importance(records: Sequence[RunRecord], keys: Sequence[str], metric: str) -> Mapping[str, float]:
    """The correlation ratio of each key, largest first; empty for fewer than two keys or four runs."""
    runs = [record for record in records if math.isfinite(record.metrics.get(metric, math.nan))]
    values = [record.metrics[metric] for record in runs]
    if len(keys) < 2 or len(runs) < 4 or (total := statistics.pvariance(values)) == 0:
        return {}
    found = {}
    for key in keys:
        groups: dict[Any, list[float]] = {}
        for cell, value in zip(cells([record.config.get(key, MISSING) for record in runs]), values, strict=True):
            groups.setdefault(cell, []).append(value)
        mean = statistics.fmean(values)
        between = sum(len(group) * (statistics.fmean(group) - mean) ** 2 for group in groups.values()) / len(values)
        found[key] = between / total
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def cells(values: Sequence[Any]) -> list[Any]:
    """The values themselves, or the quarters of many numbers."""
    numbers = [value for value in values if isinstance(value, int | float)]
    if len(numbers) < len(values) or len(set(numbers)) <= 6:
        return [as_text(value) for value in values]
    edges = statistics.quantiles(numbers, n=4)
    return [sum(value > edge for edge in edges) for value in numbers]
