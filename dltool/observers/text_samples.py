"""Texts of a language model while it trains."""

import contextlib
import itertools
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dltool.core.notices import FigureWarning
from dltool.core.randomness import derive_seed
from dltool.core.spec import DataSpec
from dltool.engine.observer import Observer, Progress, Watched
from dltool.inference.sampling import TextSampler
from dltool.layers.uncompiled import uncompiled
from dltool.observers.time_share import TimeShare
from dltool.tasks.drawing_samples import drawing_samples
from dltool.tasks.task import Task

LENGTH = 300  # Tokens of a text without an end token.
MAX_SECONDS = 2.0  # A text that takes longer is cut.
NUM_SHORT = 10  # Texts with one.
SHARE = 0.02  # Of the time of the training.


@dataclass(frozen=True)
class TrainedNow:
    """What a TextSampler needs of a run, for one in training; see LoadedRun."""

    task: Task
    spec: DataSpec
    config: Mapping[str, Any]
    title: str
    path: Path

    @property
    def device(self) -> torch.device:
        return next(self.task.model.parameters()).device

    @property
    def autocast(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


class TextSamples(Observer):
    """Writes `samples/step-000500.txt` after the first epoch, at the end, and between in SHARE of the time at most.

    The training stays as it is: its modes and random numbers are restored.

    Args:
        watched: The training; if its model continues no text, nothing is written.
        config: The complete config.
    """

    def __init__(self, watched: Watched, config: Mapping[str, Any]) -> None:
        self.watched = watched
        self.config = config
        self._task: Task | None = None
        self._progress = Progress()
        self._time = TimeShare(SHARE)
        self._written = -1  # The step of the newest one.

    def on_start(self, task: Task, progress: Progress) -> None:
        self._progress, self._written = progress, progress.step
        if "continue" in task.uses and self.watched.spec.target_tokenizer:
            self._task = task

    def on_epoch(self) -> None:
        if self._time.is_due:
            self._write()

    def on_end(self) -> None:
        if self._progress.step > self._written:
            self._write()

    def _write(self) -> None:
        if self._task is None:
            return
        self._written = self._progress.step
        path = self.watched.folder / "samples" / f"step-{self._written:06d}.txt"
        try:
            with self._time.spent():
                path.write(self._text(self._task), durable=False)
        except Exception as error:  # Such as weights that are not finite, or a full disk.
            warnings.warn(f"{path} could not be written: {error}", FigureWarning, stacklevel=2)

    def _text(self, task: Task) -> str:
        watched = self.watched
        with drawing_samples(task, derive_seed(0, "texts")), uncompiled(task.model):
            sampler = TextSampler(TrainedNow(task, watched.spec, self.config, watched.title, watched.folder.path))
            if sampler.ends:
                return "\n".join(sampler.texts(count=NUM_SHORT))
            end = time.monotonic() + MAX_SECONDS
            pieces = itertools.takewhile(lambda _: time.monotonic() < end, sampler.stream(length=LENGTH))
            return "".join(pieces)
