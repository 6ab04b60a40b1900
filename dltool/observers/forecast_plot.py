"""A figure of forecasts of the held-out part of a series."""

from typing import Any

from dltool.data.dataset import Dataset
from dltool.engine.observer import Observer, Progress, Watched
from dltool.figures.saving import save_pictures
from dltool.introspection.pictures import forecast_pictures
from dltool.tasks.task import Task


class ForecastPlot(Observer):
    """Draws plots/forecast.png of the test split, or of the validation split where there is no test split.

    Args:
        watched: The training.
        dataset: The data, which chooses the samples.
    """

    def __init__(self, watched: Watched, dataset: Dataset) -> None:
        self.watched = watched
        self.dataset = dataset
        self._task: Task | None = None

    def on_start(self, task: Task, progress: Progress) -> None:
        self._task = task

    def on_record(self, record: dict[str, Any]) -> None:
        """At this moment the model has the weights that are tested."""
        if record["split"] == "test":
            self._draw("test")

    def on_end(self) -> None:
        if "test" not in self.dataset.sizes:
            self._draw("val")

    def _draw(self, split: str) -> None:
        if self._task is not None and self._task.predicts and split in self.dataset.sizes:
            example, watched = self.dataset.forecast_example(split), self.watched
            pictures = forecast_pictures(self._task, example, watched.spec, watched.title, split)
            save_pictures(pictures, watched.folder / "plots")
