"""The learning rate of an updater as a function of time, after a linear warm-up."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from torch.optim import Optimizer

from dltool.core.errors import ConfigError
from dltool.declarations.component import NonNegative, Probability


class Setting(NamedTuple):
    """A factor on the base learning rate together with a momentum (SGD's momentum, Adam's first beta)."""

    factor: float
    momentum: float


class Schedule:
    """Sets the learning rate of each parameter group to its base times a factor.

    The factor is computed from the time at each step and never chained, so that resuming needs no state
    and a training that is extended follows the schedule of its new length.

    Args:
        factor_at: The option with its fields, a function of time and total time, both in the units of
            `interval`: the finished steps or epochs, from 0. Returns a factor, or a Setting.
        interval: Whether time is counted in steps or epochs; in epochs, the factor is constant within each epoch.
        warmup_steps: Steps of linear warm-up. The schedule's own time begins after them (in epochs: with the first
            epoch that begins after them), and its total is the remaining time.
        warmup_start: Factor of the first warm-up step, as a fraction of the schedule's first factor. Step k has
            warmup_start + (1 - warmup_start)·k / warmup_steps, as in torch's LinearLR: with 0, the first
            step does not move.

    Attributes:
        logs_every_step: Whether the log has a line for every step, whatever `logger.every_n_steps` says.
    """

    logs_every_step = False

    def __init__(
        self,
        factor_at: Callable[[float, float], float | Setting],
        *,
        interval: Literal["step", "epoch"] = "step",
        warmup_steps: NonNegative[int] = 0,
        warmup_start: Probability[float] = 0.0,
    ) -> None:
        self.factor_at = factor_at
        self.interval = interval
        self.warmup_steps = warmup_steps
        self.warmup_start = warmup_start

    def apply(self, optimizer: Optimizer, step: int, epoch: int, total_steps: int, total_epochs: int | None) -> None:
        """Set the learning rate of the next optimizer step; `step` and `epoch` count the finished ones, from 0.

        Writes "lr", and "momentum" or "betas" for a schedule that changes the momentum, into each parameter
        group; reads its "initial_lr" (dltool.optim.optimizer).

        Raises:
            ConfigError: If the interval is an epoch and the training's length in epochs is unknown.
        """
        setting = self.at(step, epoch, total_steps, total_epochs)
        factor, momentum = setting if isinstance(setting, Setting) else (setting, None)
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor
            if momentum is not None:
                set_momentum(group, momentum)

    def at(self, step: int, epoch: int, total_steps: int, total_epochs: int | None) -> float | Setting:
        """The factor, or the Setting, after `step` steps and `epoch` epochs."""
        warmup = self.warmup_steps
        if self.interval == "step":
            time, total = step - warmup, total_steps - warmup
        elif total_epochs is None:
            message = "schedule.interval=epoch needs a training whose length is given in epochs"
            raise ConfigError(message, "schedule.interval=step, or trainer.epochs=N")
        else:
            warmup_epochs = -(-warmup * total_epochs // total_steps)  # Rounded up.
            time, total = epoch - warmup_epochs, total_epochs - warmup_epochs
        total = max(total, 1)
        setting = self.factor_at(min(max(time, 0), total), total)
        if step >= warmup:
            return setting
        ramp = self.warmup_start + (1.0 - self.warmup_start) * step / warmup
        if isinstance(setting, Setting):
            return Setting(setting.factor * ramp, setting.momentum)
        return setting * ramp

    def observe(self, metrics: dict[str, float], main_metric: tuple[str, str] | None) -> None:
        """Record an evaluation of the validation split; only a plateau schedule does.

        Args:
            metrics: Its metrics by name, "val/loss" or "loss".
            main_metric: The task's main metric and its direction, as in Task.main_metric.
        """

    def state_dict(self) -> dict[str, Any]:
        """Plain scalars; empty for all schedules that are functions of time."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the result of state_dict."""


def set_momentum(group: dict[str, Any], momentum: float) -> None:
    """Set Adam's first beta or SGD's momentum, whichever the group has."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    elif "momentum" in group:
        group["momentum"] = momentum
