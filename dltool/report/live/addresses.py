"""The addresses of pages, data and pictures, relative to the page of all runs."""

import os
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, urlencode

from dltool.report.list_document import LIMIT, Query

MAX_COMPARED = 24  # Runs on one page.
MAX_LIMIT = 100_000


def query_of(values: Sequence[tuple[str, str]]) -> str:
    """A query; names of files that are not UTF-8 keep their bytes."""
    return urlencode([(name, os.fsencode(value)) for name, value in values])


def run_address(name: str) -> str:
    return "run?" + query_of([("run", name)])


def search_address(name: str) -> str:
    return "search?" + query_of([("run", name)])


def search_changes(name: str) -> str:
    return "search/changes?" + query_of([("run", name)])


def run_changes(name: str) -> str:
    return "run/changes?" + query_of([("run", name)])


def comparison_changes(names: Sequence[str]) -> str:
    return "compare/changes?" + query_of([("run", name) for name in names])


def file_address(kind: str, run: str, name: str, version: str) -> str:
    """The address of a picture ("file") or of the frames of a film ("frames"); another version is another address."""
    return f"{kind}?" + query_of([("run", run), ("name", name), ("version", version)])


def list_address(query: Query) -> str:
    return "./?" + query_of(as_pairs(query))


def changes_of_list(query: Query) -> str:
    return "list/changes?" + query_of(as_pairs(query))


def as_pairs(query: Query) -> list[tuple[str, str]]:
    limit = [] if query.limit == LIMIT else [("limit", str(query.limit))]
    return [*(pair for pair in (("q", query.text), ("sort", query.sort)) if pair[1]), *limit]


def parsed(query: str) -> dict[str, list[str]]:
    """The values of a query by their names. Raises ValueError for too many."""
    return parse_qs(query, keep_blank_values=True, errors="surrogateescape", max_num_fields=100)


def list_query(values: Mapping[str, list[str]]) -> Query:
    """What a reader asks the list for; a limit that is not a number is the usual one."""
    limit = values.get("limit", [""])[0]
    number = int(limit) if limit.isascii() and limit.isdigit() and len(limit) < 10 else LIMIT
    return Query(values.get("q", [""])[0], values.get("sort", [""])[0], min(max(number, 1), MAX_LIMIT))
