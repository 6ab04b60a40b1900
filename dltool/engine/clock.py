"""The duration of a training, over all of its processes."""

import time
from dataclasses import dataclass


@dataclass
class Clock:
    """The duration of a training.

    Attributes:
        before: Seconds of training in the processes before a resume.
        started, first_step_at: Monotonic time of this process's start of training and end of its first step.
    """

    before: float = 0.0
    started: float | None = None
    first_step_at: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds of training, those before a resume included."""
        return self.before + (time.monotonic() - self.started if self.started is not None else 0.0)
