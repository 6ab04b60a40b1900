"""skipped.txt: the files that the training leaves out because they cannot be decoded."""

import contextlib
from collections.abc import Callable

from dltool.core.printable import printable
from dltool.core.safe_path import SafePath
from dltool.core.safe_read import read_text
from dltool.data.dataset import Dataset
from dltool.engine.observer import Observer, Outcome, Progress
from dltool.tasks.task import Task

NAME = "skipped.txt"


class SkippedFiles(Observer):
    """Writes a line for each file left out, its path, a tab and the reason; a resumed training keeps earlier lines.

    Args:
        folder: The run folder.
        data: Says which files it left out.
        say: Prints a line for the user.
    """

    def __init__(self, folder: SafePath, data: Dataset, say: Callable[[str], None]) -> None:
        self.file = folder / NAME
        self.data = data
        self.say = say
        self.lines: dict[str, str] = {}  # By path.
        self._written = 0

    def on_start(self, task: Task, progress: Progress) -> None:
        if self.file.exists():
            lines = read_text(self.file).splitlines()
            self.lines = {line.partition("\t")[0]: line for line in lines}
            self._written = len(self.lines)
        self.refresh()

    def on_epoch(self) -> None:
        self.refresh()

    def before_checkpoint(self) -> None:
        self.refresh()

    def on_end(self) -> None:
        with contextlib.suppress(OSError):  # A full disk, which the training reports itself.
            self.refresh()

    def on_outcome(self, outcome: Outcome) -> None:
        if self.lines:
            self.say(f"{len(self.lines):,} files could not be decoded and were left out, see {self.file}")

    def refresh(self) -> None:
        """Write the file if others were left out since."""
        for path, reason in self.data.skipped_files().items():
            self.lines.setdefault(printable(path), f"{printable(path)}\t{printable(reason)}")
        if len(self.lines) > self._written:
            self.file.write("".join(f"{line}\n" for line in self.lines.values()))
            self._written = len(self.lines)
