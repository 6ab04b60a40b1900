"""What the losses of two adversaries have in common."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.layers.full_precision import full_precision
from dltool.metrics.mean import Mean

Discriminate = Callable[[Tensor], Tensor]  # D with the classes put in: samples to `(B,)`.


class GanLoss:
    """Base of the losses of `task=gan`: what D and G minimize, and what a step of D has around it.

    Attributes:
        discriminator_steps: Of D before each of G, where `task.discriminator_steps` is auto.
        compares: Whether G is told by how much D prefers data, so that its loss takes D's outputs of real samples too.
    """

    discriminator_steps: int = 1
    compares: bool = False

    def __init__(self, spec: DataSpec) -> None:
        del spec  # The game is the same for all data.

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """What D minimizes, a scalar, given its outputs `(B,)` for data and for fakes."""
        raise NotImplementedError

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """What G minimizes, a scalar, given D's outputs `(B,)` for fakes and, where it `compares`, for data."""
        raise NotImplementedError

    def penalty(self, discriminate: Discriminate, reals: Tensor, fakes: Tensor, step: int) -> Tensor | None:
        """What is added to D's loss: a scalar, the mean over the samples; None where nothing is at this step.

        Args:
            discriminate: D.
            reals: Samples of the data, `(B, …)`.
            fakes: As many of G's.
            step: Steps of G before this one.
        """
        return None

    def steps_of_discriminator(self, step: int) -> int:
        """Steps of D before the step of G that comes after `step` of them."""
        return self.discriminator_steps

    def constrain(self, discriminator: nn.Module) -> None:
        """What D must satisfy before each of its steps."""

    def scores(self, real: Tensor, fake: Tensor) -> dict[str, Mean]:
        """What D thinks of data and of fakes, to be logged, from its outputs `(B,)` for both.

        "d_real" and "d_fake" are its mean outputs, "d_accuracy" is the share of pairs of one of each in which it
        prefers the data: 1/2 where it cannot tell.
        """
        real, fake, count = real.detach(), fake.detach(), len(real)
        return {
            "d_real": Mean(real.sum(), count),
            "d_fake": Mean(fake.sum(), count),
            "d_accuracy": Mean((real > fake).count_nonzero(), count),
        }


def squared_gradient_norms(discriminate: Discriminate, samples: Tensor) -> Tensor:
    """|∇ₓD(x)|² of each sample, over all axes but the batch's, `(B,)`; differentiable again.

    In float32 whatever autocast is on: squares of small gradients vanish in 16 bits.
    """
    with full_precision(samples):
        samples = samples.detach().float().requires_grad_()
        (gradient,) = torch.autograd.grad(discriminate(samples).sum(), samples, create_graph=True)
        return gradient.flatten(1).square().sum(dim=1)
