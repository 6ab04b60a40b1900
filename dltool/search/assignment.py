"""What the process of a job is told; apart from what it does with it, so that the sweep itself needs no torch."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dltool.config.compose import Composed
from dltool.core.errors import DltoolError
from dltool.core.safe_path import SafePath
from dltool.trust.sources import TrustedSource, trusted_sources


@dataclass(frozen=True)
class Assignment:
    """One training for a process of its own.

    Attributes:
        words: The command that would train the same, for the run's record.
        composed: The config as composed and checked before the search began.
        auto, source: With --from RUN, what each `auto` became in that run, and its config's path.
        run_path, log_path: Where the run goes, and what it prints.
        resuming: Go on from the run's newest checkpoint.
        slot, num_slots: Which of the trainings that run side by side this is, for its share of the machine.
        monitored: A setting of the search and the metric that it names, ("sweep.metric", "val/loss").
        trusted: The user's own code, as it was read when the search began: what happens to the files meanwhile does not
            change the jobs.
        trial: Where the training is a trial of a study, how to find it (search.study.TrialLink).
    """

    words: tuple[str, ...]
    composed: Composed
    auto: dict[str, Any]
    source: Path
    run_path: Path
    log_path: Path
    resuming: bool = False
    slot: int = 0
    num_slots: int = 1
    monitored: tuple[str, str | None] | None = None
    trusted: tuple[TrustedSource, ...] = field(default_factory=trusted_sources)
    trial: Any = None

    @property
    def log(self) -> SafePath:
        """`log_path`, to write to."""
        return SafePath(self.log_path.parent, self.log_path.name)


def carry_out(assignment: Assignment) -> None:
    """Train, in the process that was started for it."""
    from dltool.search.job import run_job
    from dltool.trust.sources import trust

    trust(assignment.trusted)
    run_job(assignment)


def refuse(assignment: Assignment, error: DltoolError) -> int:
    """Note where the search looks for it why a job cannot even begin; returns the exit code."""
    from dltool.search.job import record_failure

    with assignment.log.append() as log:
        log.write(f"{error.report()}\n".encode())
    record_failure(assignment.run_path, assignment.composed.tree, error.message)
    return error.exit_code
