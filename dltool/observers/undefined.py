"""Warns once why a metric is NaN."""

from collections.abc import Callable
from typing import Any

from dltool.engine.observer import Observer, Progress
from dltool.tasks.task import Task


class UndefinedMetrics(Observer):
    """Warns if a metric is undefined in an evaluation, the first time for each split.

    Args:
        warn: Prints a line for the user.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self.warn = warn
        self._task: Task | None = None
        self._said: set[str] = set()

    def on_start(self, task: Task, progress: Progress) -> None:
        self._task = task

    def on_record(self, record: dict[str, Any]) -> None:
        if self._task is None or record["split"] not in ("val", "test"):
            return
        for name, reason in self._task.undefined.items():
            metric = f"{record['split']}/{name}"
            if metric not in self._said:
                self._said.add(metric)
                self.warn(f"{metric} is not defined at step {record['step']:,}: {reason}")
