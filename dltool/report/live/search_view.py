"""The page of a sweep or a study, and what changes on it while its jobs train."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dltool.report.live.addresses import run_address
from dltool.report.live.curves import Line, Source, metrics_of
from dltool.report.live.index import signature
from dltool.report.live.page_view import PageView
from dltool.report.search_document import curves_of, search_document
from dltool.runs.catalog import RunRecord
from dltool.runs.folder import METRICS, STUDY, SWEEP

INPUTS = (SWEEP, STUDY, "plots")  # The files that a document is made of, besides those of the runs.


class SearchView(PageView):
    """A sweep or a study.

    Args:
        name: Its path below the root.
        folder: Its folder.
    """

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__([name], folder, [])
        self._places: dict[Path, int] = {}  # Of the runs among the sources.

    def key(self, records: Sequence[RunRecord]) -> Any:
        return list(records), [signature(self.folder / name) for name in INPUTS]

    def make_document(self, records: Sequence[RunRecord]) -> dict[str, Any]:
        return search_document(self.folder, records)

    def lines(self, records: Sequence[RunRecord]) -> list[Line]:
        """The metric of the ranking, a line for each run of the best settings."""
        metric, runs = curves_of(records)
        return [Line(metric, label, self._places[one.path], metric) for label, one in runs.items()]

    def add_sources(self, records: Sequence[RunRecord]) -> None:
        """A job that has begun has a file of its own."""
        for record in records:
            if record.path not in self._places:
                self._places[record.path] = len(self.sources)
                self.sources.append(Source(record.path / METRICS, metrics_of))

    def link(self, folder: str) -> str:
        return run_address(folder if self.names[0] == "." else f"{self.names[0]}/{folder}")
