"""When a training saves a checkpoint."""

from collections.abc import Mapping

from dltool.engine.checkpoint import CheckpointStore
from dltool.engine.clock import Clock
from dltool.engine.length import ResolvedCheckpointSettings
from dltool.engine.team_checkpoints import TeamCheckpoints


class CheckpointSchedule:
    """Says at each step whether a checkpoint is due, by `trainer.checkpoint`.

    Args:
        policy: The periods.
        store: Its metric, where it follows one, makes a checkpoint due that would be kept as one of the best.
        clock: The time, for `every_minutes`.

    Attributes:
        saved_at: (step, epoch) of the newest checkpoint; (-1, -1) before the first.
    """

    def __init__(
        self, policy: ResolvedCheckpointSettings, store: CheckpointStore | TeamCheckpoints, clock: Clock
    ) -> None:
        self.policy = policy
        self.clock = clock
        self.store = store
        self.saved_at = (-1, -1)
        self._rejected: float | None = None  # A value that is not among the best; the best only improve.
        self.restart_clock()

    def restart_clock(self) -> None:
        """Count `every_minutes` from now on."""
        self._saved_time = self.clock.now()

    def note_saved(self, step: int, epoch: int) -> None:
        """Remember that a checkpoint of this position was saved now."""
        self.saved_at = (step, epoch)
        self.restart_clock()

    def is_due(self, step: int, epoch: int, metrics: Mapping[str, float]) -> bool:
        """Whether to save now.

        Args:
            step: Steps taken.
            epoch: Epochs finished and evaluated.
            metrics: The latest value of each `split/name`.
        """
        policy = self.policy
        if (step, epoch) == self.saved_at:
            return False
        if policy.every_n_steps is not None and step % policy.every_n_steps == 0:
            return True
        if policy.every_minutes is not None and self.clock.now() - self._saved_time >= 60 * policy.every_minutes:
            return True
        if epoch <= max(self.saved_at[1], 0):
            return False
        if policy.every_n_epochs is not None and epoch % policy.every_n_epochs == 0:
            return True
        value = metrics.get(self.store.metric) if self.store.metric else None
        if value is None or value == self._rejected:
            return False
        self._rejected = None if self.store.is_among_best(value) else value
        return self._rejected is None
