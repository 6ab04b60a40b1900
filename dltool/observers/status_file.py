"""Keeps a run's status.json up to date: after an epoch, and however the run ends."""

import math
import os
import time
from typing import Any

from dltool.core.process import started_at
from dltool.core.safe_read import MalformedError, UnreadableError
from dltool.engine.clock import Clock
from dltool.engine.observer import Observer, Outcome, Progress
from dltool.runs.folder import RunFolder
from dltool.tasks.task import Task

SECONDS_BETWEEN = 1.0


class StatusFile(Observer):
    """Writes status.json when a run is created, begins and ends, and after an epoch, at most once a second.

    (Writing takes a millisecond and more, since it waits for the disk; an epoch of a small data set takes ten.)

    A run that was killed still has the state "running" and its process id; `.lock` shows that the process has ended.

    Args:
        config: The whole config, flat: dotted key to value.
        clock: Measures the training's time.
        progress: The progress of the training.
        main_metric: The metric that runs of this task are compared by, such as "val/accuracy", and "min" or "max".
        num_parameters: Of the whole model.
    """

    def __init__(
        self,
        run: RunFolder,
        config: dict[str, Any],
        clock: Clock,
        progress: Progress,
        main_metric: tuple[str, str] | None = None,
        num_parameters: int | None = None,
    ) -> None:
        self.run = run
        self.config = config
        self.clock = clock
        self.main_metric = main_metric
        self.num_parameters = num_parameters
        self.progress = progress
        self.written_at = -math.inf
        self.seconds_before = total_seconds(run)

    def on_create(self) -> None:
        self.write("running")

    def on_start(self, task: Task, progress: Progress) -> None:
        self.progress = progress
        self.refresh()

    def on_epoch(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Write where the training stands, unless that was done a moment ago."""
        if time.monotonic() - self.written_at >= SECONDS_BETWEEN:
            self.write("running")

    def on_outcome(self, outcome: Outcome) -> None:
        self.write(outcome.state, outcome)

    def write(self, state: str, outcome: Outcome | None = None) -> None:
        """Replace status.json.

        Args:
            state: "running", or the state of the outcome.
            outcome: How the training ended.
        """
        self.written_at = time.monotonic()
        clock, progress = self.clock, self.progress
        stopped_by, stop_reason, tested, error = outcome[1:] if outcome else (None, None, None, None)
        trained_here = clock.seconds - clock.before
        self.run.write_status(
            {
                "state": state,
                "step": progress.step,
                "epoch": progress.epoch,
                "total_steps": progress.total_steps,
                "metrics": progress.metrics,
                "main_metric": self.main_metric,
                "parameters": self.num_parameters,
                "stopped_by": stopped_by,
                "stop_reason": stop_reason,
                "tested": tested,
                "seconds": {
                    "first_step": None if clock.first_step_at is None else clock.first_step_at - started_at(),
                    "train": clock.seconds,
                    "total": self.seconds_before + time.monotonic() - started_at(),
                },
                "samples_per_second": progress.samples / trained_here if trained_here > 0 else 0.0,
                "error": error,
                "pid": os.getpid(),
                "config": self.config,
            }
        )


def total_seconds(run: RunFolder) -> float:
    """The time that earlier processes took for a run; 0 for a new one, and where it cannot be read."""
    try:
        seconds = run.read_status().get("seconds", {})
    except (MalformedError, UnreadableError, OSError):
        return 0.0
    total = seconds.get("total") if isinstance(seconds, dict) else None
    return float(total) if isinstance(total, int | float) and math.isfinite(total) else 0.0
