"""The input of a job's process, separate from its execution, so that the sweep itself needs no torch."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dltool.config.compose import Composed
from dltool.core.safe_path import SafePath
from dltool.trust.sources import TrustedSource, trusted_sources


@dataclass(frozen=True)
class Assignment:
    """One training for a separate process.

    Attributes:
        words: The command that would train the same, for the run's environment.json.
        composed: The config as composed and checked before the search began.
        auto, source: With --from RUN, the value of each `auto` in that run, and its config's path.
        run_path, log_path: The run folder, and the file for the job's output.
        resuming: Continue from the run's newest checkpoint.
        slot, num_slots: The job's number among the trainings that run in parallel, for its share of the machine.
        cores: CPU cores that a cluster gives the job; None for its share of this machine.
        monitored: A setting of the search and the metric that it names, ("sweep.metric", "val/loss").
        trusted: The user's own code, as read when the search began: later changes of the files do not affect the
            jobs.
        trial: If the training is a trial of a study, the reference to it (search.study.TrialLink).
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
    cores: int | None = None
    monitored: tuple[str, str | None] | None = None
    trusted: tuple[TrustedSource, ...] = field(default_factory=trusted_sources)
    trial: Any = None

    @property
    def log(self) -> SafePath:
        """`log_path`, for writing."""
        return SafePath(self.log_path.parent, self.log_path.name)
