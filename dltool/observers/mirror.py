"""Copies of metrics.jsonl in another format or place, which may fail without ending a training."""

import sys
from collections.abc import Callable
from typing import Any, ClassVar

from dltool.engine.observer import Observer, Progress
from dltool.engine.signals import Interrupted
from dltool.runs.folder import RunFolder
from dltool.runs.records import read_records
from dltool.tasks.task import Task


class Mirror(Observer):
    """Copies each record of metrics.jsonl; subclasses define how to open, write and close the copy.

    metrics.jsonl is authoritative: on resume it is truncated to the checkpoint first, and every copy is then updated
    to match it, also a copy that is new. If a copy's disk, network or library fails, it warns once and is given up,
    since the training may be hours old and its log is safe.

    Args:
        run: The run folder.
        warn: Prints a line for the user.
    """

    name: ClassVar[str]

    def __init__(self, run: RunFolder, warn: Callable[[str], None]) -> None:
        self.run = run
        self.warn = warn
        self.progress = Progress()
        self.given_up = False

    def open(self, records: list[dict[str, Any]]) -> None:
        """Create or reopen the copy, and update it to the given records, which are all of metrics.jsonl."""

    def write(self, record: dict[str, Any]) -> None:
        """Add a record, which is already in metrics.jsonl."""

    def close(self, state: str) -> None:
        """Complete the copy; `state` is "finished", "interrupted" or "failed", as in status.json."""

    def on_start(self, task: Task, progress: Progress) -> None:
        self.progress = progress
        self._attempt(lambda: self.open(read_records(self.run.metrics)))

    def on_record(self, record: dict[str, Any]) -> None:
        self._attempt(lambda: self.write(record))

    def on_end(self) -> None:
        error = sys.exception()  # The exception that ended the training, if any: on_end runs in a `finally`.
        state = "finished" if error is None else "interrupted" if isinstance(error, Interrupted) else "failed"
        self._attempt(lambda: self.close(state))

    def _attempt(self, action: Callable[[], None]) -> None:
        if self.given_up:
            return
        try:
            action()
        except Exception as error:  # A library's network, disk or bug.
            self.given_up = True
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            self.warn(f"{self.name}: {reason}; the training continues without it, metrics.jsonl is complete")


def measurements(record: dict[str, Any]) -> dict[str, float]:
    """A record's measurements, `split/name` to value, without its step, epoch and split."""
    return {name: value for name, value in record.items() if "/" in name}
