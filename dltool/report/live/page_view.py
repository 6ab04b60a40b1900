"""A page with curves: made from its document, then followed by what changes in it."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dltool.core.language import wanted_language
from dltool.report.live.addresses import file_address
from dltool.report.live.changes import Part, Versions, changed_parts, changes, digest
from dltool.report.live.curves import Line, Position, Source, all_charts, drawn, new_points, position_of
from dltool.report.live.index import signature
from dltool.report.live.parts import page_parts
from dltool.report.live.recent import Remembered
from dltool.report.page import SCRIPTS, data_of, render
from dltool.runs.catalog import RunRecord

LIVE_SCRIPTS = (*SCRIPTS, "assets/live.js", "assets/live_page.js")
Charts = Mapping[str, Sequence[Line]]


class State(NamedTuple):
    """A page at one moment.

    Attributes:
        document: See dltool.report.document; of its charts there are only the titles.
        charts: The lines of its charts.
        parts: What the page replaces.
        position: Of the files of the curves.
    """

    document: dict[str, Any]
    charts: Charts
    parts: dict[str, Part]
    position: Position


class PageView(ABC):
    """A page about one or several runs.

    Args:
        names: The runs, by their paths below the root.
        folder: In which the pictures of the document are.
        sources: The files of the curves.
    """

    def __init__(self, names: Sequence[str], folder: Path, sources: Sequence[Source]) -> None:
        self.names = names
        self.folder = folder
        self.sources = [*sources]
        self._lock = threading.Lock()
        self._versions = Versions()
        self._document: Remembered[dict[str, Any]] = Remembered()
        self._lines: Remembered[list[Line]] = Remembered()
        self._parts: Remembered[dict[str, Part]] = Remembered()

    @abstractmethod
    def key(self, records: Sequence[RunRecord]) -> Any:
        """What the document is made from: as long as it is equal, so is the document."""

    @abstractmethod
    def make_document(self, records: Sequence[RunRecord]) -> dict[str, Any]:
        """The document without its charts."""

    @abstractmethod
    def lines(self, records: Sequence[RunRecord]) -> list[Line]:
        """The lines of all charts. It is called again when the names in the sources or the document change."""

    def add_sources(self, records: Sequence[RunRecord]) -> None:  # noqa: B027 (the runs of most pages are fixed)
        """Add the files of runs that have begun since the last time."""

    def link(self, folder: str) -> str:
        """The address of what a row of a table leads to."""
        return folder

    def document(self, records: Sequence[RunRecord]) -> dict[str, Any]:
        """The complete document."""
        return self._with_charts(self._state(records))

    def page(self, records: Sequence[RunRecord], place: str, ask: str) -> str:
        """The HTML.

        Args:
            records: The runs.
            place: What the page is about, below its title.
            ask: The address of its changes.
        """
        state = self._state(records)
        document = self._with_charts(state)
        live = {"place": place, "changes": ask, "version": self._versions.keep(state.parts, state.position)}
        return render(
            "page.html",
            LIVE_SCRIPTS,
            {**data_of(document), "films": {}, "live": live},
            document=document,
            picture=self._picture,
            film=self._film,
            link=self.link,
            live=live,
        )

    def changes(self, records: Sequence[RunRecord], since: str) -> dict[str, Any]:
        """The document of what has changed since a version; everything if the version is forgotten."""
        state = self._state(records)
        sent = self._versions.sent(since)
        parts = changed_parts(state.parts, sent)
        version = self._versions.keep(state.parts, state.position)
        points = new_points(state.charts, self.sources, sent.position) if sent else None
        if points is None or "part-curves" in parts:
            parts["part-curves"] = state.parts["part-curves"].html
            return changes(version, parts, charts=all_charts(state.charts, self.sources))
        return changes(version, parts, points=points, steps_per_epoch=self.sources[0].steps_per_epoch)

    def _with_charts(self, state: State) -> dict[str, Any]:
        return {**state.document, "charts": all_charts(state.charts, self.sources)}

    def _state(self, records: Sequence[RunRecord]) -> State:
        with self._lock:
            self.add_sources(records)
            for source in self.sources:
                source.refresh()
            language = wanted_language()
            key = self.key(records), language
            names = [(source.tail.generation, len(source.points)) for source in self.sources]
            lines = self._lines.of((key, names), lambda: self.lines(records))
            charts = drawn(lines, self.sources)
            made = self._document.of(key, lambda: self.make_document(records))
            document = {**made, "charts": [{"title": title} for title in charts]}
            outline = [(title, [line.label for line in lines]) for title, lines in charts.items()]
            files = [self._version(one) for part in made["sections"] for one in (*part["pictures"], *part["films"])]
            parts = self._parts.of(
                (key, outline, files),
                lambda: page_parts(document, outline, picture=self._picture, film=self._film, link=self.link),
            )
            return State(document, charts, parts, position_of(self.sources))

    def _picture(self, one: Mapping[str, Any]) -> str:
        return file_address("file", self.names[0], one["file"], self._version(one))

    def _film(self, one: Mapping[str, Any]) -> str:
        return file_address("frames", self.names[0], one["file"], self._version(one))

    def _version(self, one: Mapping[str, Any]) -> str:
        return digest(repr(signature(self.folder / one["file"])))
