"""The document of a comparison: some runs, their curves in the same charts, and how they differ."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dltool.report.document import FORMAT, table
from dltool.report.words import word
from dltool.runs.catalog import RunRecord, as_metric, as_text
from dltool.runs.comparison import (
    MISSING,
    differing_config,
    differing_environment,
    distinguishing_keys,
    is_learning_rate,
    labels,
    short_key,
)
from dltool.runs.data_record import different_data

SPLITS = ("val", "test", "train", "step")  # Of the charts, in order.
RESULTS = ("state", "step", "epoch", "seconds", "samples_per_second", "error")


def comparison_document(records: Sequence[RunRecord]) -> dict[str, Any]:
    """Everything that the page of a comparison shows; see dltool.report.document. Its charts are left to the caller."""
    names = labels(records)
    return {
        "format": FORMAT,
        "kind": "comparison",
        "title": word("{count} runs", count=len(records)),
        "state": "running" if any(record.state == "running" for record in records) else "finished",
        "intro": intro(records),
        "results": [],
        "charts": [],
        "points": None,
        "network": None,
        "playground": None,
        "plane": None,
        "sections": [],
        "tables": tables(records, names),
        "messages": messages(records, names),
        "commands": [],
    }


def intro(records: Sequence[RunRecord]) -> list[str]:
    keys = [short_key(key) for key in distinguishing_keys(records)]
    if not keys:
        return [word("Their settings do not differ.")]
    return [word("They differ in {keys}.", keys=", ".join(keys))]


def messages(records: Sequence[RunRecord], names: Sequence[str]) -> list[dict[str, str]]:
    """Whether the runs had the same data."""
    groups = different_data([record.path for record in records])
    of_path = {record.path: name for record, name in zip(records, names, strict=True)}
    listed = "; ".join(", ".join(of_path[path] for path in group) for group in groups)
    template = "They were not trained on the same data, so their metrics may not be comparable: {groups}"
    return [{"kind": "warning", "text": word(template, groups=listed)}] if groups else []


def tables(records: Sequence[RunRecord], names: Sequence[str]) -> list[dict[str, Any]]:
    """The settings that differ, the results, and the environments that differ; a column for each run."""
    config = differing_config(records)
    first = distinguishing_keys(records)
    config = {key: config[key] for key in [*first, *(key for key in config if key not in first)]}
    metrics = dict.fromkeys(name for record in records for name in record.metrics)
    results = {name: [record.metrics.get(name, MISSING) for record in records] for name in metrics}
    results |= {name: [record.value(name) for record in records] for name in RESULTS}
    results = {name: values for name, values in results.items() if any(value is not None for value in values)}
    environment = differing_environment(records)
    numbers = range(1, len(names) + 1)
    return [
        compared("settings-that-differ", "Settings that differ", ["setting", *names], config, as_setting),
        compared("results", "Results", ["", *names], results, as_result, numbers=numbers),
        compared("environment", "Environment", ["", *names], environment, as_setting),
    ]


def compared(
    name: str,
    title: str,
    columns: Sequence[str],
    values: Mapping[str, Sequence[Any]],
    as_cell: Callable[[Any], str],
    **options: Any,
) -> dict[str, Any]:
    """A table with a row for each key; see `table` for the options."""
    rows = [[short_key(key), *map(as_cell, column)] for key, column in values.items()]
    note = "" if rows else word("There is no difference.")
    return table(name, title, columns, [row for row in rows if any(row[1:])], note=note, **options)


def as_setting(value: Any) -> str:
    return "" if value is MISSING else as_text(value)


def as_result(value: Any) -> str:
    if value is MISSING or value is None:
        return ""
    return as_metric(value) if isinstance(value, float) else as_text(value)


def compared_metrics(names: Sequence[str]) -> list[str]:
    """The metrics of the charts, in their order: the validation loss first, learning rates last."""

    def rank(name: str) -> tuple[bool, int, bool]:
        split, _, metric = name.partition("/")
        return is_learning_rate(name), SPLITS.index(split) if split in SPLITS else len(SPLITS), metric != "loss"

    return sorted(dict.fromkeys(names), key=rank)
