"""Pictures of what a CycleGAN makes of held-out images."""

from collections.abc import Callable
from pathlib import Path

import torch

from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.engine.observer import Progress
from dltool.figures.drawing import Target
from dltool.observers.samples import SamplesPlot, draw_image_grid, drawing_samples
from dltool.tasks.cyclegan import CycleGanTask
from dltool.tasks.task import Task

NUM_COLUMNS = 8


class TranslationsPlot(SamplesPlot):
    """Draws `samples/epoch-0001.png` and so on, when SamplesPlot does, of the same held-out images each time.

    Six rows: images of A, their translations, these translated back; then the same of B.

    Args:
        run_dir: The run folder.
        spec: Of the training data.
        batch: Gives held-out images of both domains.
        every_n_epochs: See SamplesPlot.
        every_n_steps: The same.
    """

    def __init__(
        self,
        run_dir: Path,
        spec: DataSpec,
        batch: Callable[[], Batch],
        *,
        every_n_epochs: int | None = None,
        every_n_steps: int | None = None,
    ) -> None:
        super().__init__(run_dir, spec, every_n_epochs=every_n_epochs, every_n_steps=every_n_steps)
        self.batch = batch

    def on_start(self, task: Task, progress: Progress) -> None:
        super().on_start(task, progress)
        batch = self.batch()
        count = min(NUM_COLUMNS, len(batch.inputs), len(batch.targets))
        self._images = batch.inputs[:count], batch.targets[:count]

    def _draw_picture(self, path: Target, title: str) -> bool:
        assert isinstance(self._task, CycleGanTask)
        a, b = self._images
        with drawing_samples(self._task, 0):
            made = self._task.translated(a, b)
        rows = torch.cat([a, made.fake_b, made.back_a, b, made.fake_a, made.back_b])
        draw_image_grid(rows.cpu().numpy(), path, self.spec.input_range, columns=len(a))
        return True
