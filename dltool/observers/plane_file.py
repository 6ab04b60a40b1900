"""Writes what the network predicts over the plane of its inputs, for the page of the training."""

from dltool.data.dataset import Dataset
from dltool.engine.observer import Observer, Progress, Watched
from dltool.introspection.plane_predictions import Plane
from dltool.introspection.sample_points import sample_points
from dltool.observers.time_share import TimeShare
from dltool.runs.summary_file import PLANE, write_plane, write_points
from dltool.tasks.task import Task

PERIOD = 0.5  # Seconds between two files; a page asks once a second.
SHARE = 0.02  # Of the time of the training.


class PlaneFile(Observer):
    """Writes points.json at the start, and plane.json at the lines of the log, but at most every PERIOD.

    The training becomes longer by at most SHARE. At the end the file has the predictions of the weights that were
    tested, or is removed, if plots/ has pictures of them.

    Args:
        watched: The training.
        dataset: Its data; if it cannot be drawn whole, nothing is written.
        draws: Whether predictions are written, and not the points alone.
        keeps: Whether the file is left at the end.
    """

    def __init__(self, watched: Watched, dataset: Dataset, *, draws: bool, keeps: bool) -> None:
        self.watched = watched
        self.dataset = dataset
        self.draws = draws
        self.keeps = keeps
        self._plane: Plane | None = None
        self._task: Task | None = None
        self._progress = Progress()
        self._time = TimeShare(SHARE, PERIOD)

    def on_start(self, task: Task, progress: Progress) -> None:
        self._task, self._progress = task, progress
        if (points := sample_points(self.dataset, task)) is None:
            return
        with self._time.spent():  # The first predictions come a PERIOD later.
            write_points(self.watched.folder, points)
        self._plane = Plane(points) if self.draws else None

    def on_record(self, record: dict[str, object]) -> None:
        if self._plane is not None and self._time.is_due:
            with self._time.spent():
                self._write(self._plane)

    def on_end(self) -> None:
        if self._plane is not None and self.keeps:
            self._write(self._plane)
        elif self._plane is not None:
            (self.watched.folder / PLANE).remove()

    def _write(self, plane: Plane) -> None:
        assert self._task is not None
        write_plane(self.watched.folder, plane.predictions(self._task, self._progress.step))
