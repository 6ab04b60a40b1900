"""The duration of a training, over all of its processes."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Clock:
    """The duration of a training.

    Attributes:
        before: Seconds of training in the processes before a resume.
        started, first_step_at: Monotonic time of this process's start of training and end of its first step.
        now: The monotonic time; with several processes that of rank 0 after the previous step, so that all act alike.
    """

    before: float = 0.0
    started: float | None = None
    first_step_at: float | None = None
    now: Callable[[], float] = time.monotonic

    @property
    def seconds(self) -> float:
        """Seconds of training, those before a resume included."""
        return self.before + (self.now() - self.started if self.started is not None else 0.0)

    def note_step(self) -> None:
        """Called at the end of each step."""
        if self.first_step_at is None:
            self.first_step_at = time.monotonic()
