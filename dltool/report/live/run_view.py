"""The page of one run, and what changes on it while the run trains."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dltool.config.trusted_code import ENVIRONMENT
from dltool.report.live.curves import Line, Source, layers_of, metrics_of
from dltool.report.live.index import signature
from dltool.report.live.page_view import PageView
from dltool.report.run_document import chart_lines, run_document
from dltool.report.words import word
from dltool.runs.catalog import RunRecord
from dltool.runs.curves import RunLog
from dltool.runs.folder import DATA, LOG, METRICS, PREPROCESSING
from dltool.runs.records import decode_line
from dltool.runs.summary_file import NETWORK, PLANE, POINTS, SUMMARY

LAYERS = "diagnostics/layers.jsonl"
QUANTITIES = {
    "grad": "‖dW‖: gradient of the weights, by layer",
    "update": "‖ΔW‖ / ‖W‖: relative size of one update, by layer",
    "dead": "share of units that are 0 for all samples, by layer",
}
MAX_LAYERS = 12
# The files that a document is made of, besides those that grow. A folder changes with the names and files in it.
INPUTS = (LOG, SUMMARY, NETWORK, POINTS, PLANE, ENVIRONMENT, PREPROCESSING, DATA, "plots", "samples")


class RunView(PageView):
    """A run.

    Args:
        name: Its path below the root.
        folder: Its folder.
    """

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(
            [name], folder, [Source(folder / METRICS, metrics_of), Source(folder / LAYERS, layers_of, decode_line)]
        )

    def key(self, records: Sequence[RunRecord]) -> Any:
        return list(records), [signature(self.folder / name) for name in INPUTS]

    def make_document(self, records: Sequence[RunRecord]) -> dict[str, Any]:
        return run_document(records[0], RunLog(records[0], []))

    def lines(self, records: Sequence[RunRecord]) -> list[Line]:
        metrics, layers = self.sources
        found = [
            Line(title, label, 0, name)
            for title, names in chart_lines(metrics.points).items()
            for label, name in names.items()
        ]
        for quantity, title in QUANTITIES.items():
            names = [name for name in layers.points if name.startswith(f"{quantity}/")]
            found += [Line(word(title), name.partition("/")[2], 1, name) for name in evenly_chosen(names, MAX_LAYERS)]
        return found


def evenly_chosen(names: list[str], most: int) -> list[str]:
    """At most so many of the names, with the first and the last."""
    if len(names) <= most:
        return names
    return [names[round(place * (len(names) - 1) / (most - 1))] for place in range(most)]
