"""Trainings that something else starts, perhaps on other machines, as far as a search is concerned."""

import time
from typing import Any, Protocol, TypeVar

from dltool.search.workers import Workers

Label = TypeVar("Label")
POLL_SECONDS = 1.0  # Between two looks at all jobs.


class RemoteJob(Protocol):
    """A training elsewhere, whose results come back through its run folder."""

    def exit_code(self) -> int | None:
        """As a shell would give it; None while it waits or runs, LOST (core.exit_code) if it ended without one."""


class RemoteWorkers(Workers[Label]):
    """As Workers, with a RemoteJob in place of each process."""

    running: dict[int, tuple[Label, Any]]

    def wait(self, timeout: float) -> list[tuple[Label, int]]:
        """The jobs that have ended, with their exit codes."""
        time.sleep(max(timeout, POLL_SECONDS))
        ended = []
        for slot, (label, job) in list(self.running.items()):
            if (code := job.exit_code()) is not None:
                del self.running[slot]
                ended.append((label, code))
        return ended

    def signal(self, signum: int) -> None:
        """End every job: at once those that wait, with a checkpoint those that run."""
        raise NotImplementedError
