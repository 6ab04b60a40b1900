"""The document of a list of runs: those that a search finds, sorted, with their settings and results."""

import shlex
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dltool.core.errors import ConfigError
from dltool.core.numerals import is_number
from dltool.report.document import FORMAT
from dltool.runs.catalog import RunRecord, known_keys
from dltool.runs.columns import cell, listed_keys
from dltool.runs.comparison import short_key
from dltool.runs.selection import FILTER, Filter, ordered, parse_filter, whole_key

LIMIT = 100  # Rows of a page, unless more are requested.
MAX_SETTINGS = 6
SEARCHED = ("model.name", "data.name", "task.name")


class Query(NamedTuple):
    """What a reader asks for.

    Attributes:
        text: Filters as those of `dltool runs`, and other words, which a run's path, model, data or task contains.
        sort: A key; empty for the date.
        limit: The largest number of rows.
    """

    text: str = ""
    sort: str = ""
    limit: int = LIMIT


def list_document(
    title: str,
    records: Mapping[str, RunRecord],
    query: Query,
    known: Sequence[str] | None = None,
    columns_of: Callable[[Sequence[RunRecord], str], Sequence[str]] | None = None,
    searches: Collection[str] = (),
) -> dict[str, Any]:
    """Everything that the page of a list shows; see dltool.report.document.

    Args:
        title: Of the page.
        records: Name to run, in the order without a sort key.
        query: What is searched.
        known: The keys of all runs, if they are remembered; see known_keys.
        columns_of: Returns the keys of the columns for the runs found and a sort key, where they are remembered.
        searches: The names of the folders that are sweeps and studies.
    """
    known = known if known is not None else known_keys(records.values())
    problems: list[dict[str, str]] = []
    found, sort = dict(records), "date"
    try:
        found = matching(records, query.text, known)
        if query.sort and records:
            sort = whole_key(query.sort, known, "sort")
    except ConfigError as error:
        problems = [{"kind": "error", "text": str(error), "hint": error.hint or ""}]
    chosen = found if sort == "date" else sorted_by(found, sort)
    shown = dict(list(chosen.items())[: query.limit])
    keys = (columns_of or default_columns)([*found.values()], sort)
    return {
        "format": FORMAT,
        "kind": "list",
        "title": title,
        "query": query._asdict(),
        "total": len(records),
        "matching": len(found),
        "columns": ["run", "state", *map(short_key, keys), "seconds", "date"],
        "numbers": [place for place, key in enumerate((*keys, "seconds"), start=2) if is_numeric(key, shown.values())],
        "searches": search_rows(found, searches)[:LIMIT],
        "rows": [row(name, record, keys) for name, record in shown.items()],
        "messages": problems,
    }


def default_columns(records: Sequence[RunRecord], sort: str) -> list[str]:
    return listed_keys(records, sort, MAX_SETTINGS)


def row(name: str, record: RunRecord, keys: Sequence[str]) -> dict[str, Any]:
    """One run; its cells are those of the columns after the first two."""
    cells = [cell(record, key) for key in (*keys, "seconds", "date")]
    return {"run": name, "state": record.state, "cells": cells}


def search_rows(records: Mapping[str, RunRecord], searches: Collection[str]) -> list[dict[str, Any]]:
    """The searches of some runs, in the order of their newest runs, each with the numbers of these runs by state."""
    found: dict[str, Counter[str]] = {}
    for name, record in records.items():
        above = name.rpartition("/")[0] or "."
        if above in searches and name != ".":
            found.setdefault(above, Counter())[record.state] += 1
    return [{"run": name, "states": dict(sorted(states.items()))} for name, states in found.items()]


def matching(records: Mapping[str, RunRecord], text: str, known: Sequence[str]) -> dict[str, RunRecord]:
    """The runs that satisfy every word of a text.

    Raises:
        ConfigError: For a filter by an unknown key, or one that compares what has no order.
    """
    filters, words = parsed(text, known)
    return {
        name: record
        for name, record in records.items()
        if all(one.matches(record) for one in filters) and all(contains(name, record, one) for one in words)
    }


def parsed(text: str, known: Sequence[str]) -> tuple[list[Filter], list[str]]:
    """The filters of a text, and its other words in lower case."""
    try:
        words = shlex.split(text)
    except ValueError:  # A quote that is still open.
        words = text.split()
    filters = [parse_filter(one, known) for one in words if FILTER.fullmatch(one)] if known else []
    return filters, [one.lower() for one in words if not FILTER.fullmatch(one)]


def contains(name: str, record: RunRecord, word: str) -> bool:
    return any(word in str(text).lower() for text in (name, *(record.config.get(key, "") for key in SEARCHED)))


def sorted_by(records: Mapping[str, RunRecord], key: str) -> dict[str, RunRecord]:
    """The runs in the order of a key, as `dltool runs --sort` has them."""
    names = {id(record): name for name, record in records.items()}
    return {names[id(record)]: record for record in ordered([*records.values()], key, None)}


def is_numeric(key: str, records: Iterable[RunRecord]) -> bool:
    values = [value for record in records if (value := record.value(key)) is not None]
    return bool(values) and all(map(is_number, values))
