"""What the process of a job is given; apart from the training itself, so that the sweep needs no torch."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dltool.config.compose import Composed
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
