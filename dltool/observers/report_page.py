"""Writes a run's report.html when its training ends."""

import warnings

from dltool.core.notices import FigureWarning
from dltool.engine.observer import Observer, Outcome
from dltool.report.write import REPORT, write_run_page
from dltool.runs.catalog import is_search
from dltool.runs.folder import RunFolder


class ReportPage(Observer):
    """Writes the page last, from the files of the run; see dltool.report.

    Args:
        run: The run folder.
    """

    def __init__(self, run: RunFolder) -> None:
        self.run = run

    def on_outcome(self, outcome: Outcome) -> None:
        """A page that cannot be written must not end a training. The jobs of a search share the page of the search."""
        if is_search(self.run.path.parent):
            return
        try:
            write_run_page(self.run.path, self.run.files / REPORT)
        except Exception as error:
            warnings.warn(f"{REPORT} could not be written: {error}", FigureWarning, stacklevel=2)

    def lacks_output(self) -> bool:
        return not is_search(self.run.path.parent) and not (self.run.path / REPORT).exists()
