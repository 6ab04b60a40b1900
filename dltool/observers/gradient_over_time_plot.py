"""A figure of the vanishing gradient: its norm at each position, by the distance from the end."""

import warnings

from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.core.notices import FigureWarning
from dltool.core.spec import PAD
from dltool.engine.observer import Observer, Progress, Watched
from dltool.figures.gradient_over_time import gradient_by_distance
from dltool.figures.saving import save_figure
from dltool.figures.words import word
from dltool.introspection.gradient_over_time import gradient_over_time, relative_quartiles
from dltool.tasks.task import Task

NUM_SEQUENCES = 64
BEFORE, AFTER = "before the training", "after it"
TARGETS = ("classes", "binary", "numbers", "tags")  # Kinds of target with one target per sequence or token.


class GradientOverTimePlot(Observer):
    """Draws plots/gradient_over_time.png when the training of a recurrent network on sequences with targets ends.

    It costs two backward passes of at most 64 held-out sequences, before and after the training.
    """

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self.path = watched.folder / "plots" / "gradient_over_time.png"
        self._task: Task | None = None
        self._curves: dict[str, Tensor] = {}

    def on_start(self, task: Task, progress: Progress) -> None:
        if not task.has_objective or self.watched.spec.target not in TARGETS or not is_recurrent(task.model):
            return
        self._task = task
        if progress.step == 0:
            self._attempt(BEFORE)

    def on_end(self) -> None:
        if self._task is not None:
            self._attempt(AFTER)

    def _attempt(self, name: str) -> None:
        """Measure, and draw at the end; a figure that cannot be drawn must not end a run."""
        assert self._task is not None
        try:
            self._curves[name] = self._measured(self._task)
            if name == AFTER:
                bands = {
                    word(name): band for name, norms in self._curves.items() if (band := relative_quartiles(norms))
                }
                save_figure(gradient_by_distance(bands, self.watched.title, reference=word(BEFORE)), self.path)
        except Exception as error:
            warnings.warn(f"{self.path} could not be drawn: {error}", FigureWarning, stacklevel=2)

    def _measured(self, task: Task) -> Tensor:
        batch = self.watched.held_out(1)
        inputs, targets = batch.inputs[:NUM_SEQUENCES], batch.targets[:NUM_SEQUENCES]
        mask = inputs != PAD if self.watched.spec.padded else None

        def loss(inputs: Tensor) -> Tensor:
            return task.loss(Batch(inputs, targets, len(targets))).mean

        return gradient_over_time(task.model, loss, inputs, mask).cpu()


def is_recurrent(model: nn.Module) -> bool:
    return any(isinstance(module, nn.RNNBase) for module in model.modules())
