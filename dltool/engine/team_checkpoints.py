"""The checkpoints of a training of several processes: rank 0 reads and writes them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from dltool.distributed.team import Team
from dltool.engine.checkpoint import Checkpoint, CheckpointStore


class TeamCheckpoints:
    """A CheckpointStore of which every process knows what rank 0 reads, so that all of them decide the same.

    The others need no access to the run folder.

    Args:
        store: The folder; None in the other processes.
        metric: As in CheckpointStore.
    """

    def __init__(self, team: Team, store: CheckpointStore | None, metric: str | None) -> None:
        self.team = team
        self.store = store
        self.metric = metric

    def save(self, step: int, weights: dict[str, Tensor], state: dict[str, Any], metrics: dict[str, float]) -> None:
        """Commit a checkpoint, in rank 0."""
        if self.store is not None:
            self.store.save(step, weights, state, metrics)

    def is_among_best(self, value: float) -> bool:
        return self.of_first(lambda store: store.is_among_best(value))

    def last(self) -> Path:
        return self.of_first(lambda store: store.last())

    def best_or_last(self) -> Path:
        return self.of_first(lambda store: store.best_or_last())

    def best(self) -> Path | None:
        """The folder that `best` names, in rank 0; None in the others."""
        return None if self.store is None else self.store.best()

    def newest(self, warn: Callable[[str], None]) -> Checkpoint | None:
        return self.of_first(lambda store: store.newest(warn))

    def load(self, path: Path) -> Checkpoint:
        return self.of_first(lambda store: store.load(path))

    def of_first(self, ask: Callable[[CheckpointStore], Any]) -> Any:
        return self.team.from_first(None if self.store is None else ask(self.store))
