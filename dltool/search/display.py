"""The terminal display of a search: a live table of all jobs, or a line per job where there is no terminal."""

import sys
import time
from types import TracebackType

from rich.console import RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from dltool.core.console import Console
from dltool.core.numerals import numeral
from dltool.search.folder import DONE, JobFolder, Result

REFRESH_SECONDS = 0.5
STATE_STYLES = {"finished": "green", "failed": "red", "running": "bold", "pruned": "yellow", "waiting": "dim"}


class JobsDisplay:
    """The jobs of a sweep or a study while they run.

    Args:
        num_left: Number of jobs that this command runs.
        quiet: Show nothing.
        name: What a job is called in the line at its end, with its number; empty for the line without the number.
    """

    def __init__(
        self, folder: JobFolder, num_left: int, *, quiet: bool = False, name: str = "", console: Console | None = None
    ) -> None:
        self.folder = folder
        self.num_left = num_left
        self.quiet = quiet
        self.name = name
        self.console = console or Console(stderr=True, highlight=False)
        self.num_ended = 0
        self.drawn_at = 0.0
        self.live: Live | None = None

    def __enter__(self) -> "JobsDisplay":
        if not self.quiet and self.console.is_terminal and not self.console.is_dumb_terminal:
            redirect = sys.stdout.isatty()
            self.live = Live(console=self.console, auto_refresh=False, transient=True, redirect_stdout=redirect)
            self.live.start()
            self.console.show_cursor(True)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.live is not None:
            self.live.stop()
            self.live = None

    def say(self, line: str) -> None:
        if not self.quiet:
            self.console.print(line, markup=False, soft_wrap=True)

    def ended(self, result: Result) -> None:
        """Report that a job has ended; a failure is reported immediately, with its error."""
        self.num_ended += 1
        values = "  ".join(f"{key}={value}" for key, value in result.job.swept.items())
        what = f"error: {result.error}" if result.error else f"{main_value(result)}  {result.seconds:.1f} s"
        number = f"{self.name} {result.job.number} " if self.name else ""  # That of its folder, from 0.
        self.say(f"[{self.num_ended}/{self.num_left}] {number}{result.state:<11} {values}  {what}")

    def refresh(self) -> None:
        """Redraw the table, at most twice a second."""
        if self.live is not None and time.monotonic() - self.drawn_at > REFRESH_SECONDS:
            self.drawn_at = time.monotonic()
            self.live.update(self.draw(), refresh=True)

    def draw(self) -> RenderableType:
        """All jobs; if the terminal is too low, the running ones and those around them."""
        results = self.folder.results()
        room = max(self.console.height - 6, 3)
        if len(results) > room:
            is_open = [result.state not in (*DONE, "failed") for result in results]
            first_open = is_open.index(True) if any(is_open) else len(results)
            start = min(max(first_open - room // 2, 0), len(results) - room)
            results = results[start : start + room]
        table = Table(box=None, padding=(0, 2, 0, 0))
        swept = list(dict.fromkeys(key for result in results for key in result.job.swept))
        for name in ("job", *swept, "state", "epoch", "metric", "seconds"):
            table.add_column(name, no_wrap=True)
        for result in results:
            values = [result.job.swept.get(key, "") for key in swept]
            measured = [str(result.epoch or ""), main_value(result), f"{result.seconds:.1f}" if result.seconds else ""]
            state = Text(result.state, STATE_STYLES.get(result.state, ""))
            table.add_row(str(result.job.number), *map(Text, values), state, *measured)  # A value is not markup.
        return table


def output_console(width: int) -> Console:
    """Standard output: a terminal with its own width, anything else wide enough for whole rows."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=width)


def main_value(result: Result) -> str:
    """Such as "val/accuracy 0.9712"; empty before the first evaluation."""
    if result.main_metric is None or not result.metrics:
        return ""
    name = result.main_metric[0]
    name = name if name in result.metrics else name.replace("val/", "test/", 1)
    return f"{name} {numeral(result.metrics[name])}" if name in result.metrics else ""
