"""The Wasserstein loss with a critic whose gradient norm is kept at one."""

import torch
from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.declarations.component import NonNegative, Positive, register
from dltool.losses.gan_loss import Discriminate, squared_gradient_norms
from dltool.losses.wasserstein import Critic


@register("loss", "wasserstein_gp", tasks=("gan",))
class WassersteinGp(Critic):
    """WGAN-GP (Gulrajani et al. 2017, arXiv:1704.00028, algorithm 1): the critic's loss has λ E (|∇D(x̂)| - 1)² added.

    x̂ = αx + (1 - α)G(z) lies on the line between a sample and a fake, with one α from U(0, 1) per sample; the norm is
    that of a sample's whole gradient. The penalty holds for each sample separately; batch norm in the critic would
    break that.

    Args:
        weight: λ.
        critic_steps: Steps of the critic before each step of G: the paper's n_critic.
    """

    def __init__(self, spec: DataSpec, *, weight: NonNegative[float] = 10.0, critic_steps: Positive[int] = 5) -> None:
        super().__init__(spec)
        self.weight = weight
        self.discriminator_steps = critic_steps

    def penalty(self, discriminate: Discriminate, reals: Tensor, fakes: Tensor, step: int) -> Tensor | None:
        alpha = torch.rand(len(reals), *[1] * (reals.ndim - 1), device=reals.device)  # (B, 1, 1, 1)
        between = torch.lerp(fakes.float(), reals.float(), alpha)
        norms = (squared_gradient_norms(discriminate, between) + 1e-12).sqrt()  # The root of 0 has no derivative.
        return self.weight * (norms - 1).square().mean()
