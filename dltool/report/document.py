"""The format between a run's files and its page: what `dltool report --json` prints, with a version.

A document has these keys; those that are empty are left out by the page, not by the document.

format      {"name": "dltool-report", "version": 1}
kind        "run", "sweep", "study", "experiment" or "comparison"
title       "lenet on digits"
intro       sentences that say what was done
results     [{"name", "value", "beside"}]: metrics as text, with that of a trivial baseline where it is known; of a
            search also "n", the number of repetitions, and "interval": [low, high], of 95 %, null for fewer than three
charts      [{"title", "x": {"step": [...], "epoch": [...] | null}, "series": [{"label", "values": [number | null]}]}]
network     null, or what a visitor can try: see dltool.introspection.playable, with "image"
playground  null, or for data with two inputs and classes, or one input and a number:
            {"points": see dltool.introspection.sample_points, "shown", "all": numbers of samples,
            "settings": {"hidden": [width], "activation", "optimizer", "rate", "decay", "batch", "seed"},
            "choices": {"activation": [...], "optimizer": [...], "layers": the largest number},
            "left_out": overrides of the run that the playground lacks, "command": the beginning of its command}
plane       null, or of a run with a playground, its predictions: see dltool.introspection.plane_predictions
points      null, or of a search: {"metric", "direction", "axes": [{"name", "log", "choices": [text] | null, "values"}],
            "runs": [{"label", "metric"}]}
sections    [{"id", "title", "pictures": [{"name", "title", "caption", "file"}], "films": [...], "texts": [...]}]
tables      [{"id", "title", "note", "first", "links", "columns": [...], "numbers": [indices], "rows": [[text]]}]
messages    [{"kind": "warning" | "alarm" | "note", "text"}]
commands    [{"title", "command"}]

A "comparison" (of the live pages) has the same keys. The live pages also have two documents of their own.

"list": format, kind, title;
query       {"text", "sort", "limit"}: what was asked for
total, matching   numbers of runs
columns     headings; numbers: indices of those that are aligned to the right
searches    [{"run": path below the root, "states": {state: number of runs}}]: the sweeps and studies of the runs found
rows        [{"run": path below the root, "state", "cells": [text]}]: the cells are those of the columns from the third
messages    [{"kind": "error", "text", "hint"}]

"changes": format, kind;
version     to be sent with the next request, as `since`
parts       {id: HTML} of the elements of the page that have changed
charts      null, or all charts if there are others
points      [{"chart": title, "label", "step": [...], "values": [...]}]: new points of the charts
steps_per_epoch   number | null, for the axis of epochs

In a picture `file` is relative to the folder; a page has its content.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dltool.core.numerals import numeral

FORMAT = {"name": "dltool-report", "version": 1}
MAX_POINTS = 1000  # Of a curve; of longer ones the extremes of each part.


def chart(title: str, points: Mapping[str, Mapping[float, float]], steps_per_epoch: float | None) -> dict[str, Any]:
    """One metric over the steps.

    Args:
        title: The metric.
        points: The label of each series to its values by step; values that are not finite are left out.
        steps_per_epoch: For the axis of epochs; None if no epoch was finished.
    """
    kept = {label: thinned(values) for label, values in points.items()}
    steps = sorted(set().union(*kept.values()))
    epochs = [round(step / steps_per_epoch, 4) for step in steps] if steps_per_epoch else None
    series = [{"label": label, "values": [values.get(step) for step in steps]} for label, values in kept.items()]
    return {"title": title, "x": {"step": steps, "epoch": epochs}, "series": series}


def common_rate(rates: Iterable[float | None]) -> float | None:
    """The steps per epoch for a chart of several runs; None if they differ, or one is unknown."""
    found = set(rates)
    return found.pop() if len(found) == 1 else None


def thinned(values: Mapping[float, float]) -> dict[float, float]:
    """At most about MAX_POINTS of the points, among them the smallest and the largest of each part, and the last."""
    points = sorted(values.items())
    if len(points) <= MAX_POINTS:
        return dict(points)
    width = -(-2 * len(points) // MAX_POINTS)
    kept = {points[-1]}
    for first in range(0, len(points), width):
        part = points[first : first + width]
        kept |= {min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])}
    return dict(sorted(kept))


def table(
    name: str,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    numbers: Sequence[int] = (),
    note: str = "",
    first: bool = False,
    links: Sequence[str] = (),
) -> dict[str, Any]:
    """A table of texts.

    Args:
        name: The id on the page.
        title: The heading.
        columns: Headings of the columns.
        rows: Cells; numbers become text, None is empty.
        numbers: Columns that are aligned to the right.
        note: Below the heading.
        first: Above the curves.
        links: For each row the folder that its first cell leads to, relative to the page.
    """
    cells = [[as_cell(cell) for cell in row] for row in rows]
    described = {"id": name, "title": title, "note": note, "first": first, "links": [*links]}
    return {**described, "columns": [*columns], "numbers": [*numbers], "rows": cells}


def as_cell(value: Any) -> str:
    """The text of a table's cell."""
    if value is None:
        return ""
    if isinstance(value, float):
        return numeral(value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
