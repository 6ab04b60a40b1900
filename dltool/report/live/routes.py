"""What each address below the token answers."""

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dltool.core.errors import DltoolError
from dltool.core.safe_read import read_regular, regular_files
from dltool.report.live.addresses import MAX_COMPARED, comparison_changes, list_query, run_changes, search_changes
from dltool.report.live.comparison_view import ComparisonView
from dltool.report.live.index import RunIndex
from dltool.report.live.list_view import ListView
from dltool.report.live.page_view import PageView
from dltool.report.live.recent import Recent
from dltool.report.live.run_view import RunView
from dltool.report.live.search_view import SearchView
from dltool.report.page import frames
from dltool.runs.catalog import RunRecord
from dltool.runs.comparison import as_json

HTML, JSON, PNG = "text/html; charset=utf-8", "application/json", "image/png"
MAX_VIEWS = 32  # Pages whose runs are kept in memory.
PICTURE_FOLDERS = ("plots", "samples")
Values = Mapping[str, list[str]]


class NotFoundError(Exception):
    """There is no such page, run or picture."""


class Answer(NamedTuple):
    """What is sent.

    Attributes:
        kind: The media type.
        body: The content.
    """

    kind: str
    body: bytes


class Routes:
    """Answers requests from the folders of the runs.

    A run is named by its path below the root and looked up among those that were found, and a picture by its path in
    the run folder among those that the page shows: no path is made from a request.

    Args:
        root: The folder of the runs.
    """

    def __init__(self, root: Path) -> None:
        self.index = RunIndex(root)
        self.list = ListView(str(root))
        self._lock = threading.Lock()
        self._views: Recent[tuple[str, ...], PageView] = Recent(MAX_VIEWS)
        self._search_views: Recent[str, SearchView] = Recent(MAX_VIEWS)
        self._answers: dict[str, Callable[[Values], Answer]] = {
            "": self.runs,
            "list.json": self.runs_json,
            "list/changes": self.runs_changes,
            "run": self.run,
            "run.json": self.document,
            "run/changes": self.changes,
            "compare": self.compare,
            "compare.json": self.document,
            "compare/changes": self.changes,
            "search": self.search,
            "search.json": self.search_document,
            "search/changes": self.search_changes,
            "file": self.file,
            "frames": self.film,
        }

    def answer(self, path: str, values: Values) -> Answer:
        """The answer to a path below the token, which is compared as it was sent.

        Raises:
            NotFoundError: It leads nowhere.
        """
        found = self._answers.get(path)
        if found is None:
            raise NotFoundError
        try:
            return found(values)
        except (OSError, DltoolError) as error:  # Removed meanwhile, damaged, or outside the root.
            raise NotFoundError from error

    def runs(self, values: Values) -> Answer:
        return as_html(self.list.page(self.index.snapshot(), list_query(values)))

    def runs_json(self, values: Values) -> Answer:
        return as_answer(self.list.document(self.index.snapshot(), list_query(values)))

    def runs_changes(self, values: Values) -> Answer:
        return as_answer(self.list.changes(self.index.snapshot(), list_query(values), first(values, "since")))

    def run(self, values: Values) -> Answer:
        name = first(values, "run")
        view, records = self._view([name])
        return as_html(view.page(records, str(records[0].path), run_changes(name)))

    def compare(self, values: Values) -> Answer:
        names = values.get("run", [])
        view, records = self._view(names)
        return as_html(view.page(records, self.list.title, comparison_changes(view.names)))

    def search(self, values: Values) -> Answer:
        name = first(values, "run")
        view, records = self._search_view(name)
        return as_html(view.page(records, str(view.folder), search_changes(name)))

    def search_document(self, values: Values) -> Answer:
        view, records = self._search_view(first(values, "run"))
        return as_answer(view.document(records))

    def search_changes(self, values: Values) -> Answer:
        view, records = self._search_view(first(values, "run"))
        return as_answer(view.changes(records, first(values, "since")))

    def document(self, values: Values) -> Answer:
        view, records = self._view(values.get("run", []))
        return as_answer(view.document(records))

    def changes(self, values: Values) -> Answer:
        view, records = self._view(values.get("run", []))
        return as_answer(view.changes(records, first(values, "since")))

    def file(self, values: Values) -> Answer:
        return Answer(PNG, read_regular(self._own_file(values, ".png")))

    def film(self, values: Values) -> Answer:
        return as_answer({"frames": frames(self._own_file(values, ".gif"))})

    def _own_file(self, values: Values, ending: str) -> Path:
        """The picture that a request names; it must be one that the page of the run or the search shows."""
        runs, of = self.index.snapshot(), first(values, "run")
        found = runs.records[of].path if of in runs.records else runs.searches.get(of)
        name = first(values, "name")
        for folder in PICTURE_FOLDERS if found else ():
            for path in regular_files(found / folder, ending):  # type: ignore[operator]
                if f"{folder}/{path.name}" == name:
                    return path
        raise NotFoundError

    def _view(self, names: list[str]) -> tuple[PageView, list[RunRecord]]:
        """The page of a run, or of several, and the runs; a run that is named twice counts once."""
        names = list(dict.fromkeys(names))[:MAX_COMPARED]
        records = self.index.snapshot().records
        if not names or any(name not in records for name in names):
            raise NotFoundError
        folders = {name: records[name].path for name in names}
        with self._lock:
            view = self._views.get(tuple(names))
            if view is None:
                [one, *others] = names
                view = ComparisonView(folders, self.index.root) if others else RunView(one, folders[one])
            self._views[tuple(names)] = view
        return view, [records[name] for name in names]

    def _search_view(self, name: str) -> tuple[SearchView, list[RunRecord]]:
        """The page of a sweep or a study, and its runs."""
        runs = self.index.snapshot()
        if name not in runs.searches:
            raise NotFoundError
        with self._lock:
            view = self._search_views.get(name) or SearchView(name, runs.searches[name])
            self._search_views[name] = view
        return view, runs.runs_of(name)


def first(values: Values, name: str) -> str:
    return values.get(name, [""])[0]


def as_html(text: str) -> Answer:
    return Answer(HTML, text.encode("utf-8", "replace"))


def as_answer(document: Any) -> Answer:
    """Compact JSON; NaN and infinities become null."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, default=str, separators=(",", ":"))
    except ValueError:
        text = as_json(document)
    return Answer(JSON, text.encode("utf-8", "replace"))
