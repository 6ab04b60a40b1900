"""What the processes of a training agree on between two steps: to stop, and what time it is."""

import time

from dltool.distributed.team import Team
from dltool.engine.clock import Clock
from dltool.engine.observer import Progress
from dltool.engine.signals import Interrupted, StopSignals


class Agreement:
    """Makes what happens to one process at any time happen to all of them after the same step.

    A signal may reach only one process, observers run in rank 0, and clocks differ. Each process therefore acts on
    what `Team.largest` returns, which is the same for all and one call old. For a single process nothing is exchanged.
    """

    def __init__(self, team: Team, signals: StopSignals, progress: Progress, clock: Clock) -> None:
        self.team = team
        self.signals = signals
        self.progress = progress
        self._stop = False
        self._time = time.monotonic()
        if team.size > 1:
            clock.now = lambda: self._time

    def start(self) -> None:
        """Take the time from rank 0, before the first step."""
        self._time = self.team.from_first(self._time)

    @property
    def stop_requested(self) -> bool:
        """Whether an observer asked to stop."""
        return self.progress.stop_request is not None if self.team.size == 1 else self._stop

    def check(self) -> None:
        """Raise Interrupted if a process got a signal; each calls it after the same steps and batches."""
        if self.team.size == 1:
            self.signals.raise_if_received()
            return
        now = time.monotonic() if self.team.is_first else 0.0
        asked = float(self.progress.stop_request is not None)
        signum, stop, then = self.team.largest([float(self.signals.received or 0), asked, now])
        self._stop, self._time = self._stop or bool(stop), max(self._time, then)
        if signum:
            raise Interrupted(int(signum))
