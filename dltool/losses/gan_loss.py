"""The base of the losses of two adversaries."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.layers.full_precision import full_precision
from dltool.metrics.mean import Mean

Discriminate = Callable[[Tensor], Tensor]  # D with fixed classes: samples to `(B,)`.


class GanLoss:
    """Base of the losses of `task=gan`: the objectives of D and G, and the penalties and constraints on D.

    Attributes:
        discriminator_steps: Steps of D before each step of G, where `task.discriminator_steps` is auto.
        compares: Whether G's loss depends on how much D prefers data, and so takes D's outputs for real samples too.
    """

    discriminator_steps: int = 1
    compares: bool = False

    def __init__(self, spec: DataSpec) -> None:
        del spec  # The loss is the same for all data.

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The loss of D, a scalar, given its outputs `(B,)` for data and for fakes."""
        raise NotImplementedError

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """The loss of G, a scalar, given D's outputs `(B,)` for fakes and, if it `compares`, for data."""
        raise NotImplementedError

    def penalty(self, discriminate: Discriminate, reals: Tensor, fakes: Tensor, step: int) -> Tensor | None:
        """The penalty added to D's loss: a scalar, the mean over the samples; None if this step has none.

        Args:
            discriminate: D.
            reals: Samples of the data, `(B, …)`.
            fakes: As many samples of G.
            step: Steps of G before this one.
        """
        return None

    def steps_of_discriminator(self, step: int) -> int:
        """The number of steps of D before the next step of G, after `step` steps of G."""
        return self.discriminator_steps

    def constrain(self, discriminator: nn.Module) -> None:
        """Enforce D's constraints on its weights, before each of its steps."""

    def probabilities(self, outputs: Tensor) -> Tensor | None:
        """The probability p / (p + q) of data rather than fake that D's outputs `(B,)` estimate; None for a critic.

        p and q are the densities of data and fakes; an optimal D attains it. Without a sigmoid the estimate may be
        outside of [0, 1].
        """
        return None

    def scores(self, real: Tensor, fake: Tensor) -> dict[str, Mean]:
        """D's scores of data and of fakes, for the log, from its outputs `(B,)` for both.

        "d_real" and "d_fake" are its mean outputs; "d_accuracy" is the share of pairs of a real and a fake sample in
        which it prefers the real one: 1/2 where it cannot distinguish them.
        """
        real, fake, count = real.detach(), fake.detach(), len(real)
        return {
            "d_real": Mean(real.sum(), count),
            "d_fake": Mean(fake.sum(), count),
            "d_accuracy": Mean((real > fake).count_nonzero(), count),
        }


def squared_gradient_norms(discriminate: Discriminate, samples: Tensor) -> Tensor:
    """|∇ₓD(x)|² of each sample, over all axes except the batch, `(B,)`; differentiable itself.

    In float32 under any autocast: squares of small gradients vanish in 16 bits.
    """
    with full_precision(samples):
        samples = samples.detach().float().requires_grad_()
        (gradient,) = torch.autograd.grad(discriminate(samples).sum(), samples, create_graph=True)
        return gradient.flatten(1).square().sum(dim=1)
