"""Prevents an update of the weights from a loss that is NaN or infinite."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from dltool.core.errors import NonFiniteLossError
from dltool.tasks.task import Task

HINT = "a smaller optim.lr, trainer.clip_norm=1, or check the data; debug=anomaly names the operation"


class FiniteGuard:
    """Checks each loss before its update.

    On the CPU reading the loss costs 1 µs, so it is read, and an error is raised before the step. On an accelerator
    reading it would make the host wait at every step; there the update of a fused optimizer is masked on the
    device instead, and `raise_if_bad`, called where the host waits anyway, names the first bad step.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, device: torch.device, *, masked: bool | None = None) -> None:
        self.optimizer = optimizer
        fused = getattr(optimizer, "_step_supports_amp_scaling", False)
        self.masked = (device.type != "cpu" and fused) if masked is None else masked
        self.first_bad_step = torch.full((), -1, dtype=torch.int64, device=device)

    def check(self, loss: Tensor, step: int) -> None:
        """Check a loss before it is differentiated.

        Raises:
            NonFiniteLossError: If the loss is not finite and updates are not masked.
        """
        if self.masked:
            self.mask(loss.detach(), step)
        elif not math.isfinite(value := loss.item()):
            raise NonFiniteLossError(f"the loss is {value} at step {step}", HINT)

    def mask(self, loss: Tensor, step: int) -> None:
        """Make the optimizer's fused kernel skip this update if the loss is not finite."""
        bad = ~torch.isfinite(loss)
        self.optimizer.found_inf = bad.float()  # type: ignore[attr-defined]
        self.first_bad_step = torch.where(bad & (self.first_bad_step < 0), step, self.first_bad_step)

    def raise_if_bad(self) -> None:
        """Raise for a masked step; called where the host waits anyway: a log line, a checkpoint, an epoch's end."""
        if self.masked and (step := int(self.first_bad_step)) >= 0:
            raise NonFiniteLossError(f"the loss was not finite at step {step}; that update was skipped", HINT)


def check_trained(task: Task, metrics: Mapping[str, float], step: int) -> None:
    """Check what the last update has made of the weights, before they are saved: no loss after it was checked.

    Args:
        task: The parameters of its model must be finite.
        metrics: The newest value of each `split/name`; val/loss must not be NaN, unless there was nothing to measure.
        step: Steps taken.

    Raises:
        NonFiniteLossError: If they are not, naming the first such parameter.
    """
    for name, weight in task.model.named_parameters():
        if weight.is_floating_point() and not torch.isfinite(weight.detach()).all():
            raise NonFiniteLossError(f"{name} is not finite after step {step}, so no checkpoint is saved", HINT)
    if math.isnan(metrics.get("val/loss", 0.0)) and "loss" not in task.undefined:
        raise NonFiniteLossError(f"the validation loss is nan after step {step}, so no checkpoint is saved", HINT)
