"""Keeps an autoencoder's latent codes of samples during an evaluation."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.tasks.task import Task
from dltool.tasks.uses import reconstructs

NUM_KEPT = 2000


@dataclass
class Codes:
    """The codes and targets of the first samples of a split; an accelerator is not synchronized before they are read.

    Attributes:
        num_kept: The number of samples.
    """

    num_kept: int = 0
    split: None = None
    _codes: list[Tensor] = field(default_factory=list)
    _targets: list[Tensor] = field(default_factory=list)

    def start(self) -> None:
        """Clear what was kept, before the first batch of a split."""
        self.num_kept, self._codes, self._targets = 0, [], []

    def see(self, batch: Batch, outputs: Tensor) -> None:
        """Add a batch and its codes, float32 `(B, latent_dim)`."""
        count = min(batch.size, NUM_KEPT - self.num_kept)
        if count > 0:
            self._codes.append(outputs[:count].clone())
            self._targets.append(batch.targets[:count].clone())
            self.num_kept += count

    @property
    def codes(self) -> Tensor:
        """The codes on the CPU, `(N, latent_dim)`; at least one batch was added."""
        return torch.cat(self._codes).cpu()

    @property
    def targets(self) -> Tensor:
        """The targets of the same samples, on the CPU, `(N, …)`."""
        return torch.cat(self._targets).cpu()


def watch_codes(task: Task) -> Codes | None:
    """Keep the codes of a task's evaluations; None if the task has no codes."""
    if not reconstructs(task):
        return None
    codes = Codes()
    task.watchers.append(codes)
    return codes
