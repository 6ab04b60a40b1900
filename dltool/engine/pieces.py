"""The pieces of a batch: micro-batches of one process, or the shares of several."""

from collections.abc import Iterator

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.randomness import derive_seed, seed_default_generators
from dltool.distributed.team import SOLO, Team


class Pieces:
    """Divides each batch into pieces, and says which of them this process computes.

    The pieces are numbered, and the random numbers of each depend on its number. So the same pieces give the same
    training, whichever process computes them. All updaters of a training share one object, since they take their steps
    one after the other.

    Args:
        count: The number of pieces, a multiple of the number of processes.
        team: The processes.
        seed: The run's seed.
        device: The device whose random numbers the pieces draw.

    Attributes:
        at_last: Whether the piece that `of` gave is this process's last one of a divided batch.
    """

    def __init__(self, count: int = 1, team: Team = SOLO, *, seed: int = 0, device: torch.device | str = "cpu") -> None:
        self.count = count
        self.team = team
        self.seed = seed
        self.device = torch.device(device)
        self.each = count // team.size
        self.first = team.rank * self.each
        self.at_last = False
        self.begin_step(0)

    def begin_step(self, step: int) -> None:
        """Before the first update of a step."""
        self.step = step
        self.num_updates = 0

    def of(self, batch: Batch) -> Iterator[Batch]:
        """This process's pieces of a batch, each with its own random numbers.

        A batch with fewer samples than pieces is not divided: every process computes it whole, and that of rank 0
        counts. Afterwards the random numbers are the same in all processes again.
        """
        update, whole = self.num_updates, batch.full_size < self.count
        self.num_updates += 1
        self.at_last = False
        if whole:
            self.draw_from("piece", update, 0)
            yield batch
        else:
            with self.team.step():
                for number, piece in enumerate(self.own(batch)):
                    self.draw_from("piece", update, self.first + number)
                    self.at_last = number + 1 == self.each
                    yield piece
        self.draw_from("after", update)

    def own(self, batch: Batch) -> list[Batch]:
        """This process's pieces of a batch, which may have been drawn without the rows of the others."""
        if batch.size < batch.full_size:
            return batch.split(self.each)
        return batch.split(self.count)[self.first : self.first + self.each]

    def rows_of(self, size: int) -> slice:
        """The rows of this process's pieces in a batch of a given size; all of a batch that is not divided."""
        if size < self.count:
            return slice(0, size)
        each, rest = divmod(size, self.count)  # The first `rest` pieces have a row more.
        return slice(*(number * each + min(number, rest) for number in (self.first, self.first + self.each)))

    def draw_from(self, *use: str | int) -> None:
        seed_default_generators(derive_seed(self.seed, "step", self.step, *use), self.device)

    def counts(self, batch: Batch) -> bool:
        """Whether what this process computed for a batch counts: not where rank 0 computed the same."""
        return self.team.is_first or batch.full_size >= self.count

    def joined(self, rows: Tensor, batch: Batch) -> Tensor:
        """The rows `(n, …)` that all processes computed for a batch, in its order, from those of this process."""
        return rows if batch.full_size < self.count else self.team.gather_rows(rows)
