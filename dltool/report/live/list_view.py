"""The page of all runs, and what changes on it."""

from collections.abc import Callable, Sequence
from typing import Any

from dltool.core.language import wanted_language
from dltool.report.list_document import LIMIT, Query, default_columns, list_document
from dltool.report.live.addresses import changes_of_list, list_address, run_address, search_address
from dltool.report.live.changes import Part, Versions, changed_parts, changes
from dltool.report.live.index import Snapshot
from dltool.report.live.recent import Recent, Remembered
from dltool.report.page import element_id, render, templates
from dltool.report.words import word
from dltool.runs.catalog import RunRecord, known_keys

SCRIPTS = ("assets/live_words.js", "assets/live.js", "assets/live_list.js")
MAX_REMEMBERED = 32  # Queries whose columns are kept.


class ListView:
    """The list of runs.

    Args:
        title: The folder of the runs.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._versions = Versions()
        self._known: tuple[int, list[str]] = (-1, [])
        self._made: Recent[tuple[Query, str], Remembered[dict[str, Part]]] = Recent(MAX_REMEMBERED)
        self._columns: Recent[tuple[int, Query, int], list[str]] = Recent(MAX_REMEMBERED)

    def document(self, runs: Snapshot, query: Query) -> dict[str, Any]:
        """See dltool.report.document. What takes long is done again only when runs are added or change their keys."""
        if self._known[0] != runs.keys_version:
            self._known = runs.keys_version, known_keys(runs.records.values())
        columns = self._columns_of(runs, query)
        return list_document(self.title, runs.records, query, self._known[1], columns, runs.searches)

    def page(self, runs: Snapshot, query: Query) -> str:
        document = self.document(runs, query)
        live = {"changes": changes_of_list(query), "version": self._versions.keep(self._parts(document))}
        return render(
            "list.html",
            SCRIPTS,
            {"live": live, "limit": LIMIT},
            document=document,
            live=live,
            known=self._known[1],
            address=run_address,
            search_address=search_address,
            more=list_address(query._replace(limit=document["matching"])),
        )

    def changes(self, runs: Snapshot, query: Query, since: str) -> dict[str, Any]:
        kept = self._made.get((query, wanted_language())) or Remembered()
        self._made[query, wanted_language()] = kept
        parts = kept.of(runs, lambda: self._parts(self.document(runs, query)))
        return changes(self._versions.keep(parts), changed_parts(parts, self._versions.sent(since)))

    def _columns_of(self, runs: Snapshot, query: Query) -> Callable[[Sequence[RunRecord], str], list[str]]:
        def remembered(records: Sequence[RunRecord], sort: str) -> list[str]:
            key = (runs.keys_version, query, len(records))
            if key not in self._columns:
                self._columns[key] = default_columns(records, sort)
            return self._columns[key]

        return remembered

    def _parts(self, document: dict[str, Any]) -> dict[str, Part]:
        macros: Any = templates().get_template("list_parts.html").module
        query = Query(**document["query"])
        more = list_address(query._replace(limit=document["matching"]))
        rows = {
            element_id(one["run"]): macros.run_row(one, document["numbers"], run_address, word)
            for one in document["rows"]
        }
        return {
            "part-searches": Part(macros.searches(document, search_address, word)),
            "part-count": Part(macros.count(document, more, word)),
            "part-problems": Part(macros.problems(document, word)),
            "part-runs": Part(
                macros.run_table(document, run_address, word), outline=(document["columns"], list(rows)), inner=rows
            ),
        }
