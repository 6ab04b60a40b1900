"""`dltool reproduce`: run an experiment's seeds again and compare the results with its YAML."""

import statistics
import sys
from collections.abc import Sequence

from rich import box
from rich.table import Table

from dltool.core.numerals import counted, mean_and_spread, numeral
from dltool.core.shell import quoted
from dltool.runs.catalog import RunRecord
from dltool.runs.data_record import read_data
from dltool.search.display import output_console
from dltool.search.folder import Result
from dltool.search.record import Claim, Record
from dltool.search.sweep import Sweep


def reproduce(name: str, record: Record, sweep: Sweep) -> int:
    """Run the sweep and compare; returns the exit code.

    Args:
        name: The experiment.
        record: The record in its YAML.
        sweep: A job for each seed.

    Returns:
        0 if every recorded metric is within its tolerance, or none was recorded; 1 if one is
        outside, is missing, or a seed has failed; that of the sweep if it was interrupted or never began.
    """
    code = sweep.run_jobs()
    results = sweep.folder.results()
    finished = [result for result in results if result.state == "finished"]
    if code > 1 or not finished:
        return code
    scores = print_comparison(name, record, finished) if record.metrics else []
    if not record.metrics:
        print_record(finished)
    if note := data_note(record, finished):
        print(f"data       {note}")
    seconds = statistics.median(result.seconds for result in finished)
    recorded = f", recorded {record.seconds:g} s on {record.machine}" if record.seconds else ""
    print(f"time       {seconds:.0f} s per seed (median){recorded}")
    for metric, claim in record.metrics.items():
        if claim.source:
            print(f"reference  {metric}: {claim.source}")
    print(f"runs       {quoted(sweep.folder.path)}")
    if len(finished) < len(results):
        print(f"{len(results) - len(finished)} of {counted(len(results), 'seed')} failed", file=sys.stderr)
        return 1
    return 0 if all(scores) else 1


def data_note(record: Record, finished: Sequence[Result] | Sequence[RunRecord]) -> str:
    """Whether the data of the runs is not that of the record; "" if it is, or if neither is known."""
    digests = {str(digest) for result in finished if (digest := read_data(result.path).get("digest"))}
    if record.data is None or not digests or digests == {record.data}:
        return ""
    return f"not the data of the record: its fingerprint is {', '.join(sorted(digests))}, recorded {record.data}"


def print_comparison(name: str, record: Record, finished: Sequence[Result]) -> list[bool]:
    """Print a row for each recorded metric; returns whether each agrees with the record."""
    table = Table(box=box.ROUNDED, title=f"{name}, seeds {', '.join(seeds_of(finished))}", title_justify="left")
    for column in ("metric", "reference", "recorded", "now", "tolerance", ""):
        table.add_column(column)
    scores = []
    for metric, claim in record.metrics.items():
        values = [result.metrics[metric] for result in finished if result.metrics and metric in result.metrics]
        row, decision = compare(metric, claim, values)
        table.add_row(*row)
        scores.append(decision)
    output_console(width=160).print(table)
    return scores


def print_record(finished: Sequence[Result]) -> None:
    """Print results for the YAML of an experiment without a record."""
    print("nothing is recorded yet; the results, for the experiment's YAML:\n\nrecord:\n  metrics:")
    for metric in finished[0].metrics or {}:
        values = [result.metrics[metric] for result in finished if result.metrics and metric in result.metrics]
        if metric.startswith("test/") and len(values) == len(finished):
            print(f"    {metric}: {{measured: [{', '.join(f'{value:.4g}' for value in values)}]}}")
    seconds = statistics.median(result.seconds for result in finished)
    data = read_data(finished[0].path)
    read = f"  data: '{data['digest']}'\n" if data and not data["generator"] else ""
    print(f"  seeds: [{', '.join(seeds_of(finished))}]\n  seconds: {seconds:.0f}\n  machine: …\n{read}")


def compare(metric: str, claim: Claim, values: Sequence[float]) -> tuple[list[str], bool]:
    """A row of the table, and whether the metric agrees with the record."""
    reference = numeral(claim.reference) if claim.reference is not None else "-"
    recorded = mean_and_spread(claim.measured) if claim.measured else "not measured"
    if not values:
        return [metric, reference, recorded, "not reported", "-", "missing"], not claim.measured
    now = mean_and_spread(values)
    tolerance = claim.tolerance(len(values))
    if tolerance is None:
        return [metric, reference, recorded, now, "-", "nothing to compare with"], True
    difference = abs(statistics.fmean(values) - statistics.fmean(claim.measured))
    within = difference <= tolerance + 1e-12
    return [metric, reference, recorded, now, numeral(tolerance), "as recorded" if within else "OUTSIDE"], within


def seeds_of(results: Sequence[Result]) -> list[str]:
    return [result.job.overrides[-1].partition("=")[2] for result in results]
