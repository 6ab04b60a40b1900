"""Batch norm over the samples of all processes."""

import functools
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn.modules.batchnorm import _BatchNorm

from dltool.core.errors import ConfigError
from dltool.distributed.team import Team


class SumOverTeam(Function):
    """The sum of a tensor over the processes; the gradient is the sum of their gradients, and so is its own."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, team: Team) -> Tensor:
        ctx.team = team
        total = part.clone(memory_format=torch.contiguous_format)
        team.sum_([total])
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return SumOverTeam.apply(gradient, ctx.team), None


class SynchronizedNorm:
    """Replaces the forward pass of a batch norm while the processes compute their pieces of one batch.

    Mean and variance are those of all samples, whatever the share of each process (Ioffe and Szegedy 2015, algorithm
    1), and so are the running statistics. The variance is the mean squared distance from the mean, in a second
    exchange: a difference of squares would lose digits. Elsewhere, such as in evaluations and in pictures that one
    process draws, it is the batch norm that it replaces.
    """

    team: Team

    def forward(self: Any, x: Tensor) -> Tensor:
        if not (self.training and self.team.in_step):
            return super().forward(x)  # type: ignore[misc]
        others = [dim for dim in range(x.ndim) if dim != 1]
        shape = [1, -1, *[1] * (x.ndim - 2)]
        values = x.float()  # Also under autocast.
        count = values.new_tensor([values.numel() // values.shape[1]])
        sums = SumOverTeam.apply(torch.cat([values.sum(others), count]), self.team)
        total = sums[-1].detach()
        mean = sums[:-1] / total
        centred = values - mean.view(shape)
        variance = SumOverTeam.apply(centred.square().sum(others), self.team) / total
        self.track(mean.detach(), variance.detach() * total / (total - 1).clamp(min=1))
        normalized = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            normalized = normalized * self.weight.view(shape) + self.bias.view(shape)
        return normalized.to(x.dtype)

    @torch.no_grad()
    def track(self: Any, mean: Tensor, variance: Tensor) -> None:
        """Update the running statistics with those of a batch; the variance is the unbiased one, as in torch."""
        if not self.track_running_stats:
            return
        self.num_batches_tracked += 1
        momentum = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance, momentum)


@functools.cache
def synchronized(norm: Any) -> Any:
    """The class of batch norms with exchanged statistics, with everything else as in `norm`."""
    return type(norm.__name__, (SynchronizedNorm, norm), {"__module__": norm.__module__})


def synchronize_batch_norm(model: nn.Module, team: Team) -> None:
    """Let every batch norm of a model use the statistics of all processes.

    Raises:
        ConfigError: A batch norm computes more than the normalization, as some of timm do.
    """
    for module in model.modules():
        if not isinstance(module, _BatchNorm):
            continue
        if type(module).__module__.partition(".")[0] not in ("torch", "dltool"):
            raise ConfigError(
                f"the {type(module).__name__} of {type(model).__name__} cannot be synchronized between processes",
                "trainer.sync_batch_norm=false; each process then normalizes its own samples",
            )
        kind: Any = type(module)
        module.__class__ = synchronized(kind)
        module.team = team  # type: ignore[assignment]
        team.backward_exchanges = True
