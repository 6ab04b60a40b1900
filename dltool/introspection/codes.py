"""Keeps, while a split is measured, where an autoencoder puts the samples in its space of codes."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.tasks.task import Task
from dltool.tasks.uses import reconstructs

NUM_KEPT = 2000


@dataclass
class Codes:
    """The first samples of a split and their codes; nothing waits for an accelerator before it is read.

    Attributes:
        num_kept: How many.
    """

    num_kept: int = 0
    _codes: list[Tensor] = field(default_factory=list)
    _targets: list[Tensor] = field(default_factory=list)

    def start(self) -> None:
        """Before the first batch of a split; what was kept before is another's."""
        self.num_kept, self._codes, self._targets = 0, [], []

    def see(self, batch: Batch, outputs: Tensor) -> None:
        """Take in a batch and its codes, float32 `(B, latent_dim)`."""
        count = min(batch.size, NUM_KEPT - self.num_kept)
        if count > 0:
            self._codes.append(outputs[:count].clone())
            self._targets.append(batch.targets[:count].clone())
            self.num_kept += count

    @property
    def codes(self) -> Tensor:
        """On the CPU, `(N, latent_dim)`, at least one."""
        return torch.cat(self._codes).cpu()

    @property
    def targets(self) -> Tensor:
        """Of the same samples, on the CPU, `(N, …)`."""
        return torch.cat(self._targets).cpu()


def watch_codes(task: Task) -> Codes | None:
    """Have the codes of a task's evaluations kept; None where it has none."""
    if not reconstructs(task):
        return None
    codes = Codes()
    task.watchers.append(codes)
    return codes
