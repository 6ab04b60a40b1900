"""Figures of a trained image classifier: its first kernels, its feature maps, its mistakes."""

import copy
from functools import partial
from typing import Any

import torch

from dltool.data.preprocessing import Preprocessing
from dltool.engine.observer import Observer, Progress, Watched
from dltool.figures.saving import Pictures, save_pictures
from dltool.introspection.mistakes import Mistakes, watch_mistakes
from dltool.introspection.pictures import attack_picture, kernel_picture, network_pictures, of_split
from dltool.tasks.task import Task


class NetworkPlots(Observer):
    """Draws plots/kernels.png, feature_maps.png, confusion.png and misclassified.png when a training ends, and
    attacked.png if it was evaluated under attack.

    They show the weights that the run ends with, averaged or the best if those are tested, and the last evaluation:
    of the test split, or of the validation split if no test was made. The data for the mistakes is kept during an
    evaluation; a training step costs nothing.

    Args:
        watched: The training; if its model is not an image classifier, nothing is drawn.
        preprocessing: The preprocessing of the inputs.
    """

    def __init__(self, watched: Watched, preprocessing: Preprocessing) -> None:
        self.watched = watched
        self.preprocessing = preprocessing
        self._task: Task | None = None
        self._watching: Mistakes | None = None
        self._seen: tuple[str, Mistakes] | None = None

    def on_start(self, task: Task, progress: Progress) -> None:
        self._task = task
        if self.preprocessing.gives_pixels:
            self._watching = watch_mistakes(task, self.watched.spec)

    def on_record(self, record: dict[str, Any]) -> None:
        """An interrupted evaluation has no record, and is not drawn."""
        if record["split"] in ("val", "test") and self._watching is not None:
            self._seen = record["split"], copy.copy(self._watching)

    def on_end(self) -> None:
        if self._task is not None and self._watching is not None:
            save_pictures(self._pictures(self._task), self.watched.folder / "plots")

    def _pictures(self, task: Task) -> Pictures:
        spec, title = self.watched.spec, self.watched.title
        if self._seen is None:  # No held-out data, or the training ended before an evaluation.
            image = torch.zeros(1, *spec.input_shape, device=next(task.model.parameters()).device)
            return {"kernels.png": partial(kernel_picture, task.model, image, title)}
        split, mistakes = self._seen
        assert self.preprocessing.gives_pixels
        pictures = dict(network_pictures(task.model, mistakes, self.preprocessing.pixels, title, split))
        if split == "test" and "confusion" in task.metrics:  # MetricPlots has drawn it.
            del pictures["confusion.png"]
        return pictures | {"attacked.png": partial(attack_picture, task, spec, of_split(title, split))}
