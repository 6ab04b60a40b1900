"""What is true of this process and of nothing else: which dltool it runs, since when, and where its runs go."""

import time
from pathlib import Path

VERSION = "0.2.0.dev0"  # Of pyproject.toml, which a test compares.

OUTPUT_ROOT = Path("outputs")  # Relative to the working directory, which nothing ever changes.

# A run's "first_step" and "total" seconds count from here, so that they include importing torch.
_started_at = time.monotonic()


def started_at() -> float:
    """The time by `time.monotonic()` at which this process began, or its present sweep job did."""
    return _started_at


def restart_clock() -> None:
    """Count from now on: what a worker process does before a job is no part of the job's time."""
    global _started_at
    _started_at = time.monotonic()
