"""The page of a sweep or a study, written at its end."""

import warnings
from pathlib import Path

from dltool.core.notices import FigureWarning
from dltool.core.safe_path import SafePath
from dltool.core.shell import quoted
from dltool.report.write import REPORT, write_search_page
from dltool.runs.catalog import runs_of_search


def write_report(folder: Path) -> list[str]:
    """Write the page, and return the line that says where; none if all runs have logger.report=false.

    A page that cannot be written must not end a search.
    """
    if not any(record.config.get("logger.report", True) for record in runs_of_search(folder)):
        return []
    try:
        write_search_page(folder, SafePath(folder) / REPORT)
    except Exception as error:
        warnings.warn(f"{REPORT} could not be written: {error}", FigureWarning, stacklevel=2)
        return []
    return [f"report     {quoted(folder / REPORT)}"]
