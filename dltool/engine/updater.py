"""How one optimizer takes one step."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.core.errors import NonFiniteLossError
from dltool.distributed.gradient_sum import GradientSum
from dltool.engine.guard import FiniteGuard
from dltool.engine.pieces import Pieces
from dltool.engine.precision import Precision
from dltool.metrics.mean import Mean, add_means
from dltool.optim.schedule import Schedule
from dltool.tasks.loss_check import check_loss
from dltool.tasks.task import Loss

Evaluated = tuple[Tensor | float, dict[str, Mean]]  # A batch's loss, and its logs.


class Updater:
    """One optimizer over the parameters of one role, with its schedule, precision and clipping.

    Args:
        module: The role's network; the optimizer has its trainable parameters.
        others: Networks of the other roles; they get no gradient while this one is updated.
        pieces: The division of a batch. The gradients of its pieces are weighted by the count that each loss is
            averaged over, so that they add up to the gradient of the whole batch.
        clip_norm, clip_value: Bounds of the L2 norm and of each component of the gradient, or None.
    """

    def __init__(
        self,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        precision: Precision,
        guard: FiniteGuard,
        *,
        others: Sequence[nn.Module] = (),
        pieces: Pieces | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        self.optimizer = optimizer
        self.schedule = schedule
        self.precision = precision
        self.guard = guard
        self.pieces = pieces or Pieces()
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        team = self.pieces.team
        self.exchanged = GradientSum(self.parameters, team) if team.size > 1 else None
        mine = set(module.parameters())
        self.others_frozen = Frozen(
            [p for other in others for p in other.parameters() if p.requires_grad and p not in mine]
        )
        self.needs_closure = isinstance(optimizer, torch.optim.LBFGS)
        self.step = 0
        self.on_gradient: Callable[[list[Tensor]], None] | None = None  # Called with the parameters before clipping.

    def begin_step(self, step: int, epoch: int, total_steps: int, total_epochs: int) -> None:
        """Set the learning rate and the random numbers of a step; see Schedule.apply."""
        self.step = step
        self.pieces.begin_step(step)
        self.schedule.apply(self.optimizer, step, epoch, total_steps, total_epochs)

    def minimize(self, loss: Callable[[Batch], Loss], batch: Batch) -> dict[str, Mean]:
        """Take one optimizer step on `loss(batch)`; returns the loss's logs, summed over this process's pieces.

        Raises:
            NonFiniteLossError: Before the step, if the loss or the gradient's norm is NaN or infinite.
        """
        gradient = self.gradient if self.pieces.count == 1 else self.accumulated_gradient
        with self.others_frozen:
            if self.needs_closure:
                return self.step_with_closure(lambda: gradient(loss, batch))
            _, logs = gradient(loss, batch)
            self.precision.step(self.optimizer, self.clip)
        return logs

    def joined(self, rows: Tensor, batch: Batch) -> Tensor:
        """All rows that the last `minimize` computed for a batch, from those of this process; see Pieces.joined."""
        return self.pieces.joined(rows, batch)

    def step_with_closure(self, gradient: Callable[[], Evaluated]) -> dict[str, Mean]:
        """LBFGS evaluates the gradient several times; returns the logs of the last evaluation."""
        logs: dict[str, Mean] = {}

        def closure() -> Tensor | float:
            nonlocal logs
            value, logs = gradient()
            return value

        self.optimizer.step(closure)  # type: ignore[arg-type]
        if self.on_gradient is not None:
            self.on_gradient(self.parameters)
        return logs

    def gradient(self, loss: Callable[[Batch], Loss], batch: Batch) -> Evaluated:
        """Compute the gradients of the batch's mean loss; returns that mean and the logs."""
        self.zero_grad()
        mean, _, logs = self.evaluate(loss, batch)
        self.check_finite(mean)
        self.precision.scale(mean).backward()
        return mean, logs

    def accumulated_gradient(self, loss: Callable[[Batch], Loss], batch: Batch) -> Evaluated:
        """The same over the batch's pieces, each weighted by the count that its mean is over."""
        self.zero_grad()
        logs: dict[str, Mean] = {}
        total: Tensor | int = 0
        value = torch.zeros((), device=self.parameters[0].device)
        for piece in self.pieces.of(batch):
            mean, count, piece_logs = self.evaluate(loss, piece)
            weighted = mean * (count / batch.full_size)
            with self.backward_of_piece():
                self.precision.scale(weighted).backward()
            total = total + count
            value = value + weighted.detach()
            add_means(logs, piece_logs)
        if self.exchanged is not None:
            if not self.pieces.counts(batch):
                total, value, logs = total * 0, value * 0, {}
                torch._foreach_zero_([p.grad for p in self.parameters if p.grad is not None])
            sums = self.exchanged.finish(torch.stack([torch.as_tensor(total).to(value), value]))
            total, value = round(float(sums[0])) if isinstance(total, int) else sums[0], sums[1]
        if not (isinstance(total, int) and total == batch.full_size):  # The counts are not numbers of samples.
            gradients = [p.grad for p in self.parameters if p.grad is not None]
            torch._foreach_mul_(gradients, batch.full_size / total)
            value = value * (batch.full_size / total)
        self.check_finite(value)
        return value, logs

    def backward_of_piece(self) -> contextlib.AbstractContextManager[None]:
        """For the backward pass of each piece: in the last one gradients become final, so their exchange may begin."""
        if self.exchanged is None or not self.pieces.at_last:
            return contextlib.nullcontext()
        return self.exchanged.overlapped()

    def evaluate(self, loss: Callable[[Batch], Loss], batch: Batch) -> Loss:
        """The loss in the configured precision."""
        with self.precision.autocast:
            evaluated = loss(batch)
        check_loss(evaluated, loss)
        return evaluated

    def check_finite(self, loss: Tensor) -> None:
        """See FiniteGuard.check; a loss that is scaled may overflow, which its scaler notices."""
        if self.precision.scaler is None:
            self.guard.check(loss, self.step)

    def zero_grad(self) -> None:
        """Clear the gradients. torch's own zero_grad takes 8 µs for the same, mostly for its profiler hook."""
        for parameter in self.parameters:
            parameter.grad = None

    def clip(self) -> None:
        """Bound the gradient, first its components, then its norm."""
        if self.on_gradient is not None:
            self.on_gradient(self.parameters)
        if self.clip_value is not None:
            nn.utils.clip_grad_value_(self.parameters, self.clip_value)
        if self.clip_norm is not None:
            norm = nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
            if self.precision.scaler is None and norm.device.type == "cpu" and not torch.isfinite(norm):
                raise NonFiniteLossError(
                    f"the gradient's norm is {norm.item()} at step {self.step}", "a smaller optim.lr"
                )

    def state_dict(self) -> dict[str, Any]:
        return {
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "precision": self.precision.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.precision.load_state_dict(state["precision"])


def learning_rates(updaters: Mapping[str, Updater]) -> dict[str, float]:
    """`lr` of a single optimizer, or `lr_generator` etc. of several, without the factors of `lr_factors`."""
    groups = {role: updater.optimizer.param_groups[0] for role, updater in updaters.items()}
    return {
        "lr" if len(groups) == 1 else f"lr_{role}": float(group["lr"]) / group.get("lr_factor", 1.0)
        for role, group in groups.items()
    }


class Frozen:
    """In this context parameters get no gradient, such as a discriminator's from the generator's loss."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self.parameters = parameters

    def __enter__(self) -> None:
        for parameter in self.parameters:
            parameter.requires_grad_(False)

    def __exit__(self, *_: object) -> None:
        for parameter in self.parameters:
            parameter.requires_grad_(True)
