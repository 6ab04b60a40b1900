"""An observer of the training: which samples were learned in each epoch, and which forgotten again?

To run it, then to use the run:

    dltool train --trust observer.py observer=forgetting model=mlp trainer.epochs=5
    cat RUN/forgetting.csv
"""

import torch
from torch import Tensor

from dltool.declarations.component import Positive, register
from dltool.engine.observer import Observer, Progress, Watched
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.tasks.task import Task


@register("observer", "forgetting")
class Forgetting(Observer):
    """Writes forgetting.csv: after each epoch, how many held-out samples are right, newly right, and no longer right.

    Toneva et al. (2019, arXiv:1812.05159) call the last ones forgetting events.

    Args:
        watched: The training: its folder, its data, its held-out samples.
        num_samples: The number of samples, the first of the validation split.
    """

    def __init__(self, watched: Watched, *, num_samples: Positive[int] = 500) -> None:
        self.watched = watched
        self.num_samples = num_samples
        self.file = watched.folder / "forgetting.csv"  # A SafePath: it never writes through a link.
        self.right: Tensor | None = None

    def on_create(self) -> None:
        """A new run; a resumed one goes on with the file that it has."""
        self.file.write("epoch,right,learned,forgotten\n")

    def on_start(self, task: Task, progress: Progress) -> None:
        self.task, self.progress = task, progress
        if progress.epoch:  # A resumed training.
            self.right = self.predictions_that_are_right()

    def on_epoch(self) -> None:
        right = self.predictions_that_are_right()
        before = torch.zeros_like(right) if self.right is None else self.right
        counts = [int(those.sum()) for those in (right, right & ~before, before & ~right)]
        with self.file.append() as lines:
            lines.write(",".join(map(str, [self.progress.epoch, *counts])).encode() + b"\n")
        self.right = right

    # An observer only watches: evaluation mode is undone afterwards, no gradient is left, no random number is drawn.
    # The final weights are bitwise the same with and without it.
    @torch.no_grad()
    def predictions_that_are_right(self) -> Tensor:
        """Whether each sample is classified correctly, `(N,)`."""
        batch = self.watched.held_out(self.num_samples)
        with evaluation_mode(self.task.model):
            labels = self.task.predict(batch.inputs).labels
        if labels is None:
            raise ValueError("observer=forgetting needs a task that predicts classes")
        return (labels == batch.targets).cpu()
