"""The GAN loss with hinges."""

import torch.nn.functional as F
from torch import Tensor

from dltool.declarations.component import register
from dltool.losses.gan_loss import GanLoss


@register("loss", "hinge_gan", tasks=("gan",))
class HingeGan(GanLoss):
    """D minimizes E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))), G minimizes -E D(G(z)).

    Lim and Ye (2017, arXiv:1705.02894, section 2), Miyato et al. (2018, arXiv:1802.05957, eqs. 16 and 17), who keep D
    smooth by spectral normalisation.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -fake.mean()
