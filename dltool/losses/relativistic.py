"""The GAN loss that compares fakes with data, with gradient penalties on both."""

import torch.nn.functional as F
from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.declarations.component import NonNegative, register
from dltool.losses.gan_loss import Discriminate, GanLoss, squared_gradient_norms


@register("loss", "relativistic", tasks=("gan",))
class Relativistic(GanLoss):
    """R3GAN's objective (Huang et al. 2024, arXiv:2501.05441, section 2): the relativistic pairing GAN with R1 and R2.

    D minimizes E softplus(-(D(x) - D(G(z)))) + γ/2 (E |∇D(x)|² + E |∇D(G(z))|²), G the same difference with the other
    sign (Jolicoeur-Martineau 2018, arXiv:1807.00734). Every fake is compared with a sample, so D notices every dropped
    mode. R1 is Mescheder et al. (2018, arXiv:1801.04406, eq. 9), R2 the same on fakes.

    Args:
        r1, r2: γ of each penalty. The authors' CIFAR-10 recipe decreases it from 0.05 to 0.005; here it is constant.
    """

    compares = True

    def __init__(self, spec: DataSpec, *, r1: NonNegative[float] = 1.0, r2: NonNegative[float] = 1.0) -> None:
        super().__init__(spec)
        self.r1 = r1
        self.r2 = r2

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(fake - real).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        assert real is not None
        return F.softplus(real - fake).mean()

    def penalty(self, discriminate: Discriminate, reals: Tensor, fakes: Tensor, step: int) -> Tensor | None:
        terms = [
            gamma / 2 * squared_gradient_norms(discriminate, samples).mean()
            for gamma, samples in ((self.r1, reals), (self.r2, fakes))
            if gamma
        ]
        return sum(terms[1:], terms[0]) if terms else None
