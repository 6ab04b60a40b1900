"""Figures of the metrics of the test split."""

from typing import Any

from dltool.engine.observer import Observer, Progress, Watched
from dltool.figures.saving import save_pictures
from dltool.introspection.pictures import metric_pictures, of_split
from dltool.tasks.task import Task


class MetricPlots(Observer):
    """Draws plots/confusion.png and plots/reliability.png of the final test, if `task.metrics` includes them."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self._task: Task | None = None

    def on_start(self, task: Task, progress: Progress) -> None:
        self._task = task

    def on_record(self, record: dict[str, Any]) -> None:
        """At this moment the metrics still contain the sums of the record's split."""
        if record["split"] == "test" and self._task is not None:
            title = of_split(self.watched.title, "test")
            save_pictures(metric_pictures(self._task.metrics, title), self.watched.folder / "plots")
