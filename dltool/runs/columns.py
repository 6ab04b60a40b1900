"""The columns of a list of runs: what distinguishes them, their main metrics, what they cost."""

from collections.abc import Sequence
from typing import Any

from dltool.runs.catalog import RunRecord, as_metric, as_text
from dltool.runs.comparison import distinguishing_keys, main_metrics, short_key

# The columns that a list of runs has anyway.
ALWAYS = ("run", "state", "date", "seconds")


def listed_metrics(records: Sequence[RunRecord], sort: str) -> list[str]:
    """The key that the runs are sorted by, and the fewest metrics of which each run has one."""
    shown = [] if sort in ("date", "seconds") else [sort]
    return list(dict.fromkeys([*shown, *main_metrics(records, lambda record: record.metrics)]))


def listed_keys(records: Sequence[RunRecord], sort: str, max_settings: int) -> list[str]:
    """The keys of the columns after the run and its state; settings first, without repetition under the same heading.

    Args:
        records: The runs.
        sort: The key that they are sorted by.
        max_settings: The number of settings; the most informative ones.
    """
    settings = distinguishing_keys(records)[:max_settings]
    sizes = ["parameters"] if len({record.parameters for record in records}) > 1 else []
    named = {short_key(key): key for key in [*settings, *listed_metrics(records, sort), *sizes] if key not in ALWAYS}
    return [*named.values()]


def cell(record: RunRecord, key: str) -> str:
    """The text of a run's value of a key; empty without one."""
    if key in record.metrics:
        return as_metric(record.metrics[key])
    if key == "seconds":
        return f"{record.seconds:,.1f}" if isinstance(record.seconds, int | float) else ""
    if key == "parameters":
        return "" if record.parameters is None else f"{record.parameters:,}"
    value: Any = record.value(key)
    return as_text(value) if key in record.config or value is not None else ""
