"""Curves that grow while their runs train: all of them for a page that opens, then only the new points."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dltool.core.numerals import is_finite_number
from dltool.report.document import chart, common_rate
from dltool.report.live.lines import Decode, LineTail
from dltool.runs.records import decode_record

Values = Iterator[tuple[str, float, float]]  # Name, step and value.
Position = tuple[tuple[int, int], ...]  # Of each file: its generation, and the number of values that were read.


class Line(NamedTuple):
    """A line of a chart.

    Attributes:
        chart: The title of the chart.
        label: The name of the line in it.
        source: The place of the file among the sources.
        name: The name of the values in the file.
    """

    chart: str
    label: str
    source: int
    name: str


class Source:
    """The values of one file.

    Args:
        path: A file of JSON lines.
        values: From a record to its values.
        decode: See LineTail.

    Attributes:
        points: Name to the values by step, in order of first appearance.
        arrived: All values in the order of the file.
        steps_per_epoch: See dltool.runs.curves.RunLog.
    """

    def __init__(
        self, path: Path, values: Callable[[Mapping[str, Any]], Values], decode: Decode = decode_record
    ) -> None:
        self.tail = LineTail(path, decode)
        self.values = values
        self._clear()

    def _clear(self) -> None:
        self.points: dict[str, dict[float, float]] = {}
        self.arrived: list[tuple[str, float, float]] = []
        self.steps_per_epoch: float | None = None

    def refresh(self) -> None:
        generation = self.tail.generation
        records = self.tail.new_records()
        if self.tail.generation != generation:
            self._clear()
        for record in records:
            if record.get("split") == "train" and is_finite_number(record.get("epoch")) and record["epoch"]:
                self.steps_per_epoch = record["step"] / record["epoch"]
            for name, step, value in self.values(record):
                self.points.setdefault(name, {})[step] = value
                self.arrived.append((name, step, value))

    @property
    def position(self) -> tuple[int, int]:
        return self.tail.generation, len(self.arrived)


def metrics_of(record: Mapping[str, Any]) -> Values:
    """The metrics of a record of metrics.jsonl."""
    step = record.get("tested_step", record["step"])
    for name, value in record.items():
        if "/" in name and is_finite_number(value) and is_finite_number(step):
            yield name, step, float(value)


def layers_of(record: Mapping[str, Any]) -> Values:
    """The quantities of each layer in a record of diagnostics/layers.jsonl, as "quantity/layer"."""
    layers, step = record.get("layers"), record.get("step", math.nan)
    for layer, quantities in layers.items() if isinstance(layers, dict) else ():
        for quantity, value in quantities.items() if isinstance(quantities, dict) else ():
            if is_finite_number(value) and is_finite_number(step):
                yield f"{quantity}/{layer}", step, float(value)


def position_of(sources: Sequence[Source]) -> Position:
    return tuple(source.position for source in sources)


def drawn(lines: Iterable[Line], sources: Sequence[Source]) -> dict[str, list[Line]]:
    """The lines by chart, of charts in which a line has two points at least."""
    charts: dict[str, list[Line]] = {}
    for line in lines:
        charts.setdefault(line.chart, []).append(line)
    return {
        title: found
        for title, found in charts.items()
        if any(len(sources[line.source].points.get(line.name, ())) > 1 for line in found)
    }


def all_charts(charts: Mapping[str, Sequence[Line]], sources: Sequence[Source]) -> list[dict[str, Any]]:
    """The charts of a document."""
    rate = common_rate(source.steps_per_epoch for source in sources if source.steps_per_epoch is not None)
    return [
        chart(title, {line.label: sources[line.source].points.get(line.name, {}) for line in lines}, rate)
        for title, lines in charts.items()
    ]


def new_points(
    charts: Mapping[str, Sequence[Line]], sources: Sequence[Source], since: Position
) -> list[dict[str, Any]] | None:
    """The points that are not in the charts of an earlier position; None if those charts are no longer true."""
    if len(since) != len(sources):
        return None
    found: dict[tuple[int, str], dict[float, float]] = {}
    for place, (source, (generation, count)) in enumerate(zip(sources, since, strict=True)):
        if generation != source.tail.generation or count > len(source.arrived):
            return None
        for name, step, value in source.arrived[count:]:
            found.setdefault((place, name), {})[step] = value
    return [
        {"chart": title, "label": line.label, "step": [*points], "values": [*points.values()]}
        for title, lines in charts.items()
        for line in lines
        if (points := found.get((line.source, line.name)))
    ]
