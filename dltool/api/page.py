"""The page of a run, as a notebook shows it."""

import html
import tempfile
import webbrowser
from pathlib import Path

from dltool.report.write import REPORT, write

FRAME_HEIGHT = 800  # Pixels.


class Page:
    """One HTML page that loads nothing: shown in a notebook, opened in a browser, or written to a file.

    Args:
        title: What it is about.
        html: The page.
        written: The file where it is already.
    """

    def __init__(self, title: str, html: str, written: Path | None = None) -> None:
        self.title = title
        self.html = html
        self._written = written

    def __repr__(self) -> str:
        return f"<Page of {self.title}, {len(self.html):,} characters>"

    def _repr_html_(self) -> str:
        """The page in a frame without access to the notebook: its scripts run, and can reach nothing outside it."""
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" sandbox="allow-scripts" title="{html.escape(self.title)}" '
            f'style="width:100%;height:{FRAME_HEIGHT}px;border:1px solid #c8c8c8"></iframe>'
        )

    @property
    def path(self) -> Path:
        """The file where the page was last written; if it was not, a temporary one is written now."""
        return self._written or self.save(Path(tempfile.mkdtemp(prefix="dltool_")) / REPORT)

    def save(self, path: str | Path) -> Path:
        """Write the page to a file."""
        target = Path(path).expanduser()
        write(self.html, target)
        self._written = target
        return target

    def open(self) -> None:
        """Open the page in the browser of this machine."""
        webbrowser.open(self.path.resolve().as_uri())
