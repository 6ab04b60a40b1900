"""The document of an experiment: what its YAML records, its config, and the runs that were made from it."""

import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dltool.config.compose import compose
from dltool.config.tree import leaves
from dltool.core.numerals import mean_and_spread
from dltool.core.shell import quoted
from dltool.declarations.options import option_files
from dltool.report.document import FORMAT, chart, common_rate, table
from dltool.report.run_document import finite
from dltool.report.words import word
from dltool.runs.catalog import RunRecord, as_text, read_runs
from dltool.runs.comparison import HOW_NOT_WHAT, NO_CONFIG, is_learning_rate, read_environment, short_key
from dltool.runs.curves import RunLog, read_logs
from dltool.runs.description import changed_config
from dltool.search.experiment_config import experiment_config, place_words
from dltool.search.experiment_header import Header, read_header
from dltool.search.record import Record, read_record
from dltool.search.reproduce import compare, data_note

MAX_CURVES = 24  # In one chart.
SPLITS = ("val", "train", "step")  # The first one with curves is drawn.
MAX_METRICS = 4  # Of runs whose experiment records none.


class ExperimentRun(NamedTuple):
    """A run that was made from an experiment.

    Attributes:
        record: The run.
        changed: The settings that differ from the experiment's, without the seed and without those that do not change
            what is learned.
    """

    record: RunRecord
    changed: Mapping[str, Any]

    @property
    def label(self) -> str:
        words = [f"{short_key(key)}={as_text(value)}" for key, value in self.changed.items()]
        return " ".join([f"seed={as_text(self.record.config.get('seed'))}", *words])


def experiment_document(name: str, root: Path, page_folder: Path, config_dirs: Sequence[Path] = ()) -> dict[str, Any]:
    """Everything that the page of an experiment shows; see dltool.report.document.

    Args:
        name: The experiment; it exists.
        root: Its runs are searched below this folder.
        page_folder: Of the page, for its links.
        config_dirs: Folders of the user's own options.

    Raises:
        ConfigError: The YAML, or the record in it, is malformed.
    """
    path = option_files("experiment", config_dirs)[name]
    record, header = read_record(path) or Record(), read_header(path)
    checked = experiment_config(name, header, config_dirs)
    config = dict(leaves(checked.tree if checked else compose([f"experiment={name}"], config_dirs).tree))
    places = [word.partition("=")[0] for word in place_words(header)]
    runs = runs_of(name, {key: value for key, value in config.items() if key not in places}, root)
    same = [one.record for one in runs if not one.changed and one.record.state == "finished"]
    rows, decisions = comparison(record, same)
    return {
        "format": FORMAT,
        "kind": "experiment",
        "title": f"{word('experiment')} {name}",
        "state": state_of(runs, decisions),
        "intro": intro(header, record, runs),
        "results": [
            {"name": metric, "value": mean_and_spread(claim.measured), "beside": ""}
            for metric, claim in record.metrics.items()
            if claim.measured
        ],
        "charts": charts(runs),
        "network": None,
        "playground": None,
        "plane": None,
        "points": None,
        "sections": [],
        "tables": tables(header, record, config, runs, rows, page_folder),
        "messages": messages(record, same),
        "commands": commands(name, header),
    }


def runs_of(name: str, config: Mapping[str, Any], root: Path) -> list[ExperimentRun]:
    """The runs below a folder with the config of the experiment, or whose command names it; those as recorded first."""
    found = []
    for record in read_runs(root):
        changed = changes(config, record.config)
        command = read_environment(record).get("command")
        named = isinstance(command, list) and f"experiment={name}" in command
        if record.config.get("model.name") and (named or not changed):
            found.append(ExperimentRun(record, changed))
    return sorted(found, key=lambda one: (len(one.changed) > 0, one.label))


def changes(config: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run that differ from those of the experiment; keys that one of them lacks do not count.

    A run of an earlier version lacks keys, which have been added since with the value that they had stood for.
    """
    ignored = (*HOW_NOT_WHAT, *NO_CONFIG)
    keys = [key for key in other if key in config and key != "seed" and not key.startswith(ignored)]
    return {key: other[key] for key in keys if as_text(other[key]) != as_text(config[key])}


def comparison(record: Record, same: Sequence[RunRecord]) -> tuple[list[list[str]], list[bool]]:
    """A row for each recorded metric, and whether the runs agree with it."""
    rows, decisions = [], []
    for metric, claim in record.metrics.items():
        values = [one.metrics[metric] for one in same if metric in one.metrics]
        row, agrees = compare(metric, claim, values)
        if values:
            decisions.append(agrees)
        else:
            row[3:] = ["–", "–", word("not run")]
        rows.append([*row[:3], row[3], str(len(values)), row[4], word(row[5]), claim.source or ""])
    return rows, decisions


def state_of(runs: Sequence[ExperimentRun], decisions: Sequence[bool]) -> str:
    if any(one.record.state == "running" for one in runs):
        return "running"
    if not decisions:
        return "not run"
    return "reproduced" if all(decisions) else "deviating"


def intro(header: Header, record: Record, runs: Sequence[ExperimentRun]) -> list[str]:
    """What the experiment is, what its record cost, and how many runs were made from it."""
    found = [header.summary] if header.summary else []
    if record.seeds and any(claim.measured for claim in record.metrics.values()):
        seeds = ", ".join(map(str, record.seeds))
        found.append(word("Recorded with the seeds {seeds}; mean ± standard deviation.", seeds=seeds))
    if record.seconds and record.machine:
        found.append(word("{seconds:g} s per seed on {machine}.", seconds=record.seconds, machine=record.machine))
    same = sum(not one.changed for one in runs)
    template = "Runs below the output root that were made from it: {count:,}; with its settings: {same:,}."
    found.append(word(template, count=len(runs), same=same))
    return found


def messages(record: Record, same: Sequence[RunRecord]) -> list[dict[str, str]]:
    note = data_note(record, same)
    return [{"kind": "warning", "text": note}] if note else []


def commands(name: str, header: Header) -> list[dict[str, str]]:
    """The commands of the YAML, and how to repeat the seeds."""
    train = header.commands or (quoted("dltool", "train", f"experiment={name}"),)
    found = [("Evaluate it" if command.startswith("dltool evaluate") else "Train it", command) for command in train]
    found.append(("Repeat its seeds and compare", quoted("dltool", "reproduce", name)))
    return [{"title": title, "command": command} for title, command in found]


def charts(runs: Sequence[ExperimentRun]) -> list[dict[str, Any]]:
    """The loss and a score of the runs, a line for each run, those with the settings of the experiment first."""
    shown = runs[:MAX_CURVES]
    logs = read_logs([one.record for one in shown])
    rate = common_rate(log.steps_per_epoch for log in logs)
    names = [one.label for one in shown]
    labels = [
        name if names.count(name) == 1 else f"{name} {one.record.path.name}"
        for name, one in zip(names, shown, strict=True)
    ]
    for split in SPLITS:
        metrics = shared_metrics(logs, split)
        lines = [[finite(log.points(metric, "step")) for log in logs] for metric in metrics]
        found = [
            chart(metric, dict(zip(labels, values, strict=True)), rate)
            for metric, values in zip(metrics, lines, strict=True)
            if max(map(len, values)) > 1
        ]
        if found:
            return found
    return []


def shared_metrics(logs: Sequence[RunLog], split: str) -> list[str]:
    """The first loss and the first score of a split that all runs have."""
    shared = [name for name in logs[0].metrics if all(name in log.metrics for log in logs)] if logs else []
    names = [name for name in shared if name.startswith(f"{split}/") and not is_learning_rate(name)]
    losses, scores = [name for name in names if "loss" in name], [name for name in names if "loss" not in name]
    return losses[:1] + scores[:1]


def tables(
    header: Header,
    record: Record,
    config: Mapping[str, Any],
    runs: Sequence[ExperimentRun],
    rows: Sequence[Sequence[str]],
    page_folder: Path,
) -> list[dict[str, Any]]:
    """The record beside the runs, notes, the runs, the changed config."""
    found = []
    if rows:
        columns = ["metric", "reference", "recorded", "now", "n", "tolerance", "", "source"]
        note = word(
            "Now: mean ± standard deviation of the finished runs with the settings of the experiment; the tolerance is "
            "three standard errors of the difference."
        )
        found.append(table("comparison", "Recorded and now", columns, rows, numbers=range(1, 6), note=note, first=True))
    if groups := changed_groups(record, runs):
        found.append(groups)
    if header.notes:
        found.append(table("notes", "Notes of the experiment", ["", ""], [*header.notes.items()]))
    if runs:
        found.append(runs_table(record, runs, page_folder))
    changed = changed_config(dict(config))
    settings = [[key, as_text(value)] for key, value in changed.items()]
    return [*found, table("config", "What differs from the defaults", ["setting", "value"], settings)]


def shown_metrics(record: Record, runs: Sequence[ExperimentRun]) -> list[str]:
    """The recorded metrics, or else the first ones of the test."""
    names = dict.fromkeys(name for one in runs for name in one.record.metrics)
    tested = [name for name in names if name.startswith("test/") and not is_learning_rate(name)]
    return [*record.metrics] or tested[:MAX_METRICS]


def changed_groups(record: Record, runs: Sequence[ExperimentRun]) -> dict[str, Any] | None:
    """Runs with other settings, a row for each, with the mean over its seeds; None without them."""
    groups: dict[str, list[RunRecord]] = {}
    for one in runs:
        if one.changed and one.record.state == "finished":
            groups.setdefault(one.label.partition(" ")[2], []).append(one.record)
    metrics = shown_metrics(record, runs)
    rows = [
        [label, len(members), *(spread(metric, members) for metric in metrics)] for label, members in groups.items()
    ]
    columns = ["changed", "n", *metrics]
    return table("changed", "With other settings", columns, rows, numbers=range(1, len(columns))) if rows else None


def spread(metric: str, records: Sequence[RunRecord]) -> str:
    values = [one.metrics[metric] for one in records if metric in one.metrics]
    return mean_and_spread(values) if values else "–"


def runs_table(record: Record, runs: Sequence[ExperimentRun], page_folder: Path) -> dict[str, Any]:
    """Each run with its results and a link to its folder."""
    metrics = shown_metrics(record, runs)
    rows = [
        [
            one.record.path.name,
            word(one.record.state),
            one.label,
            *(one.record.metrics.get(metric) for metric in metrics),
            f"{one.record.seconds or 0:.1f}",
        ]
        for one in runs
    ]
    columns = ["run", "state", "setting", *metrics, "seconds"]
    links = [os.path.relpath(one.record.path, page_folder) for one in runs]
    seconds = statistics.fmean(one.record.seconds or 0 for one in runs)
    note = word("{seconds:,.0f} s for a run on average.", seconds=seconds)
    return table("runs", "The runs", columns, rows, numbers=range(3, len(columns)), note=note, links=links)
