"""The learning curves of a run, as one figure."""

from typing import TYPE_CHECKING

from dltool.engine.observer import Observer, Progress, Watched
from dltool.figures.curves import learning_curves
from dltool.figures.saving import save_pictures
from dltool.runs.folder import METRICS
from dltool.runs.records import read_records
from dltool.tasks.task import Task

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure


class CurvesPlot(Observer):
    """Draws `plots/curves.png` from metrics.jsonl when a training ends, however it ends.

    The folder's name is below the panels.
    """

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self._progress = Progress()

    def on_start(self, task: Task, progress: Progress) -> None:
        self._progress = progress

    def on_end(self) -> None:
        """A figure that cannot be drawn (the disk may be full) must not hide how the training ended."""
        save_pictures({"curves.png": self._curves}, self.watched.folder / "plots")

    def _curves(self) -> "Figure | None":
        folder, progress = self.watched.folder.path, self._progress
        records = read_records(folder / METRICS)
        if not records:
            return None
        steps_per_epoch = None
        if progress.total_epochs and progress.total_steps:
            steps_per_epoch = progress.total_steps / progress.total_epochs
        return learning_curves(records, steps_per_epoch=steps_per_epoch, title=self.watched.title, subtitle=folder.name)
