"""The Wasserstein distance between two distributions, estimated by a critic with bounded weights."""

import torch
from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import NonNegative, Positive, register
from dltool.losses.gan_loss import GanLoss
from dltool.metrics.mean import Mean


class Critic(GanLoss):
    """Base of the two Wasserstein losses: the critic maximizes E D(x) - E D(G(z)), G maximizes E D(G(z))."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake.mean() - real.mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -fake.mean()

    def scores(self, real: Tensor, fake: Tensor) -> dict[str, Mean]:
        """ "wasserstein" is E D(x) - E D(G(z)): up to the critic's unknown Lipschitz constant, a lower bound of the
        earth mover's distance."""
        distance = Mean((real.detach() - fake.detach()).sum(), len(real))
        return super().scores(real, fake) | {"wasserstein": distance}


@register("loss", "wasserstein", tasks=("gan",))
class Wasserstein(Critic):
    """WGAN (Arjovsky et al. 2017, arXiv:1701.07875, algorithm 1), its weights clipped **before** each critic step.

    As in the authors' code (martinarjovsky/WassersteinGAN). The paper clips after the step, so that G sees the
    clipped critic; in that code and here G sees the weights after the last step, which may exceed the bound by one
    step. The bursts are the code's too: the critic should be near its optimum before G learns from it.

    Args:
        clip: Weights and biases of the critic stay in [-clip, clip].
        critic_steps: Steps of the critic before each step of G: the paper's n_critic.
        burst_steps: The same in the first `num_first_bursts` steps of G, and in every `burst_every_n_steps`-th.
        num_first_bursts: See burst_steps; 0 for none.
        burst_every_n_steps: See burst_steps; null for none.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        clip: Positive[float] = 0.01,
        critic_steps: Positive[int] = 5,
        burst_steps: Positive[int] = 100,
        num_first_bursts: NonNegative[int] = 25,
        burst_every_n_steps: Positive[int] | None = 500,
    ) -> None:
        super().__init__(spec)
        self.clip = clip
        self.discriminator_steps = critic_steps
        self.burst_steps = burst_steps
        self.num_first_bursts = num_first_bursts
        self.burst_every_n_steps = burst_every_n_steps

    def steps_of_discriminator(self, step: int) -> int:
        every = self.burst_every_n_steps
        is_burst = step < self.num_first_bursts or (every is not None and step > 0 and step % every == 0)
        return self.burst_steps if is_burst else self.discriminator_steps

    @torch.no_grad()
    def constrain(self, discriminator: nn.Module) -> None:
        trained: list[Tensor] = [parameter for parameter in discriminator.parameters() if parameter.requires_grad]
        torch._foreach_clamp_min_(trained, -self.clip)
        torch._foreach_clamp_max_(trained, self.clip)
