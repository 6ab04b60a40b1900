"""How long a training took, over all the processes that had a part in it."""

import time
from dataclasses import dataclass


@dataclass
class Clock:
    """How long the training took.

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
