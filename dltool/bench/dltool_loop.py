"""dltool's own training, in parts that can be timed."""

import dataclasses
import os
import time
from pathlib import Path

from dltool.bench.stopwatch import Seconds, Stopwatch
from dltool.build.parts import Parts
from dltool.core.console import Console
from dltool.engine.length import ResolvedCheckpointSettings
from dltool.observers.progress import ProgressBar
from dltool.runs.folder import RunFolder
from dltool.training.session import Session

LEFT_OUT = ("evaluation", "checkpoints", "pictures")


class DltoolLoop:
    """The real Trainer with its observers: log, status.json, and a progress bar on a simulated terminal.

    What a hand-written loop does not have is left out, see LEFT_OUT. Epochs end as usual.

    Args:
        parts: The training; its held-out data is dropped, so that the Trainer evaluates nothing.
        folder: Used as the run folder.
    """

    def __init__(self, parts: Parts, folder: Path) -> None:
        parts.dataset.drop_held_out()
        settings = dataclasses.replace(parts.settings, checkpoint=ResolvedCheckpointSettings(every_n_epochs=None))
        logger = dataclasses.replace(parts.logger, plots=False, samples=False)
        session = Session(dataclasses.replace(parts, settings=settings, logger=logger), RunFolder(folder), quiet=False)
        self.trainer = trainer = session.trainer
        trainer.task.model.train()
        trainer.clock.started = time.monotonic()
        (self.bar,) = (observer for observer in trainer.observers if isinstance(observer, ProgressBar))
        self.terminal = Path(os.devnull).open("w")  # noqa: SIM115 (open as long as the bar may draw)
        self.bar.console = Console(file=self.terminal, force_terminal=True, width=100)
        for observer in trainer.observers:
            if observer is not self.bar:
                observer.on_start(trainer.task, trainer.progress)

    def run(self, num_steps: int) -> None:
        """Train as in Trainer.fit, also beyond the configured length."""
        trainer = self.trainer
        until = trainer.progress.step + num_steps
        while trainer.progress.step < until:
            trainer.finished()
            trainer.advance()
            trainer.signals.raise_if_received()

    def time_steps(self, num_steps: int) -> Seconds:
        """Time a run; the bar's thread draws only during that time."""
        self.bar.on_start(self.trainer.task, self.trainer.progress)
        try:
            stopwatch = Stopwatch(self.trainer.device)
            self.run(num_steps)
            return stopwatch.read()
        finally:
            self.bar.on_end()

    def close(self) -> None:
        self.terminal.close()

    @property
    def samples_per_step(self) -> float:
        return self.trainer.samples_per_draw * self.trainer.task.draws_per_step
