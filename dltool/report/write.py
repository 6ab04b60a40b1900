"""Writes pages."""

from pathlib import Path

from dltool.core.safe_path import SafePath
from dltool.report.page import page
from dltool.report.run_document import run_document
from dltool.report.search_document import search_document
from dltool.runs.catalog import read_run

REPORT = "report.html"


def write_run_page(folder: Path, target: Path | SafePath) -> None:
    """Write the page of a run.

    Args:
        folder: The run folder.
        target: The file: the user's, or one in a run folder.
    """
    write(page(run_document(read_run(folder)), folder), target)


def write_search_page(folder: Path, target: Path | SafePath) -> None:
    """Write the page of a sweep or a study. Raises ConfigError if it has no run yet."""
    write(page(search_document(folder), folder), target)


def write(html: str, target: Path | SafePath) -> None:
    """Write a page, and create its folder."""
    content = html.encode("utf-8", errors="replace")
    if isinstance(target, Path):
        target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
