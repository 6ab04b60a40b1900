"""The page of a comparison of runs, and what changes on it while they train."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltool.report.comparison_document import compared_metrics, comparison_document
from dltool.report.live.curves import Line, Source, metrics_of
from dltool.report.live.page_view import PageView
from dltool.runs.catalog import RunRecord
from dltool.runs.comparison import labels
from dltool.runs.folder import METRICS


class ComparisonView(PageView):
    """Some runs.

    Args:
        folders: Their names, which are paths below the root, to their folders.
        root: The root.
    """

    def __init__(self, folders: Mapping[str, Path], root: Path) -> None:
        sources = [Source(folder / METRICS, metrics_of) for folder in folders.values()]
        super().__init__([*folders], root, sources)

    def key(self, records: Sequence[RunRecord]) -> Any:
        return list(records)

    def make_document(self, records: Sequence[RunRecord]) -> dict[str, Any]:
        return comparison_document(records)

    def lines(self, records: Sequence[RunRecord]) -> list[Line]:
        """A chart for each metric, a line for each run."""
        names = labels(records)
        metrics = compared_metrics([name for source in self.sources for name in source.points])
        return [
            Line(metric, names[place], place, metric)
            for metric in metrics
            for place, source in enumerate(self.sources)
            if metric in source.points
        ]
