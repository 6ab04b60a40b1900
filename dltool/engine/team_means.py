"""The running means of several processes, each of which adds up those of its own pieces."""

from collections.abc import Mapping
from typing import Any

from dltool.distributed.team import Team
from dltool.metrics.mean import Mean, SavedMean, add_means
from dltool.metrics.running_means import RunningMeans, restored, saved


class TeamMeans(RunningMeans):
    """Running means whose logged values and saved sums are those of all processes.

    The sums are exchanged when they are read. `compute`, which another thread may call at any moment, is about this
    process alone.
    """

    def __init__(self, team: Team) -> None:
        self.team = team
        super().__init__()

    def values(self, means: Mapping[str, Mean]) -> dict[str, float]:
        return super().values(self.summed(means))

    def saved(self, means: Mapping[str, Mean]) -> dict[str, SavedMean]:
        return super().saved(self.summed(means))

    def summed(self, means: Mapping[str, Mean]) -> dict[str, Mean]:
        """The sums of all processes, added in the order of the ranks."""
        sums: dict[str, Mean] = {}
        for part in self.team.gather(saved(means)):
            add_means(sums, restored(part))
        return sums

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Rank 0 continues from the sums of all processes; the others begin with nothing."""
        super().load_state_dict(state if self.team.is_first else {"sums": {}, "window_start": {}})
