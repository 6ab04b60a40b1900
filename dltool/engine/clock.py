"""The duration of a training, over all of its processes."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass
class Clock:
    """The duration of a training.

    Attributes:
        before: Seconds of training in the processes before a resume.
        started, first_step_at: Monotonic time of this process's start of training and end of its first step.
        ended: That of the end of training, before the test and the last figures; None until then.
        now: The monotonic time; with several processes that of rank 0 after the previous step, so that all act alike.
    """

    before: float = 0.0
    started: float | None = None
    first_step_at: float | None = None
    ended: float | None = None
    now: Callable[[], float] = time.monotonic

    @property
    def seconds(self) -> float:
        """Seconds of training, those before a resume included."""
        if self.started is None:
            return self.before
        return self.before + (self.now() if self.ended is None else self.ended) - self.started

    def start(self) -> None:
        self.started, self.ended = self.now(), None

    def note_step(self) -> None:
        """Called at the end of each step."""
        if self.first_step_at is None:
            self.first_step_at = time.monotonic()

    @contextlib.contextmanager
    def stopped_after(self) -> Iterator[None]:
        """The training; what follows its end is not counted."""
        try:
            yield
        finally:
            self.ended = self.now()
