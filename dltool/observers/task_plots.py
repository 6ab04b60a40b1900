"""The figures that a task defines itself."""

from dltool.engine.observer import Observer, Progress, Watched
from dltool.figures.saving import save_pictures
from dltool.introspection.pictures import task_pictures
from dltool.tasks.task import Task


class TaskPlots(Observer):
    """Draws the image tables of the task, plots/NAME.png, when a training ends; see Task.image_tables.

    Args:
        watched: The training.
    """

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self._task: Task | None = None

    def on_start(self, task: Task, progress: Progress) -> None:
        self._task = task

    def on_end(self) -> None:
        if self._task is not None:
            watched = self.watched
            save_pictures(task_pictures(self._task, watched.spec, watched.title), watched.folder / "plots")
