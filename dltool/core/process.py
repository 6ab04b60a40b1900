"""Facts of this process: its dltool version, its start time, and the folder for its runs."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

VERSION = "0.2.0"  # The same as in pyproject.toml, by test.

OUTPUT_ROOT = Path("outputs")  # Relative to the working directory, which dltool never changes.

# Runs a module that is found where this process finds its own: the same dltool, and nothing else that -m would find.
START = """
import json, runpy, sys
sys.path[:] = json.loads(sys.argv[1])
sys.argv[:] = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__")
"""

# A run's "first_step" and "total" seconds count from here, so that they include importing torch.
_started_at = time.monotonic()
# The command that a call from Python stands for; None if this process is a command.
_called_as: list[str] | None = None


def started_at() -> float:
    """The `time.monotonic()` at which this process, or its current sweep job, began."""
    return _started_at


def launched_rank() -> int:
    """The number of this process among those that torchrun started; 0 without it."""
    return int(os.environ["RANK"]) if is_launched() else 0


def is_launched() -> bool:
    """Whether torchrun started this process as one of several, by the variables that it sets."""
    return all(name in os.environ for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR"))


def restart_clock() -> None:
    """Count from now: the time before a worker process starts a job does not belong to the job."""
    global _started_at
    _started_at = time.monotonic()


def command() -> list[str]:
    """The words of the command that runs, or of the one that would do the same as the call from Python."""
    return ["dltool", *(sys.argv[1:] if _called_as is None else _called_as)]


@contextlib.contextmanager
def called_as(words: Sequence[str]) -> Iterator[None]:
    """A call from Python, which runs record as the command with these words."""
    global _called_as
    before, _called_as = _called_as, [*words]
    try:
        yield
    finally:
        _called_as = before


def python_command(module: str, *words: str) -> list[str]:
    """The command that runs a module with words in another process of this Python, with this process's path."""
    return [sys.executable, "-P", "-c", START, json.dumps(sys.path), module, *words]
