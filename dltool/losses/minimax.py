"""The minimax loss of the original GAN."""

import math

import torch.nn.functional as F
from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.declarations.component import Fraction, register
from dltool.losses.gan_loss import GanLoss
from dltool.metrics.mean import Mean


@register("loss", "minimax", tasks=("gan",))
class Minimax(GanLoss):
    """Eq. 1 of Goodfellow et al. (2014, arXiv:1406.2661): min over G, max over D of E log D(x) + E log(1 - D(G(z))).

    On logits a, log σ(a) = -softplus(-a) and log(1 - σ(a)) = -softplus(a), which never overflow. Once D
    recognizes the fakes, G's gradient vanishes; NonSaturating is the paper's remedy.

    Args:
        label_smoothing: s makes D's label of real data 1 - s; that of fakes stays 0 (one-sided, Salimans et
            al. 2016, arXiv:1606.03498, section 3.4). Not in the 2014 paper.
    """

    def __init__(self, spec: DataSpec, *, label_smoothing: Fraction[float] = 0.0) -> None:
        super().__init__(spec)
        self.label_smoothing = label_smoothing

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        rejected = F.softplus(-real).mean()
        if self.label_smoothing > 0:
            smooth = self.label_smoothing
            rejected = (1 - smooth) * rejected + smooth * F.softplus(real).mean()
        return rejected + F.softplus(fake).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """E log(1 - D(G(z)))."""
        return -F.softplus(fake).mean()

    def probabilities(self, outputs: Tensor) -> Tensor:
        """σ(a); with label smoothing s the optimum is (1 - s) p / (p + q), so that it is divided by 1 - s."""
        return outputs.sigmoid() / max(1 - self.label_smoothing, 1e-12)

    def scores(self, real: Tensor, fake: Tensor) -> dict[str, Mean]:
        """ "d_real", mean D(x), and "d_fake", mean D(G(z)), are probabilities, both 1/2 at the optimum;
        "d_accuracy" is the share of real and fake samples that D classifies correctly.

        "js" is log 2 + (E log D(x) + E log(1 - D(G(z)))) / 2 in nats: for the optimal D the Jensen-Shannon divergence
        between data and fakes (the paper's theorem 1), for any other D less than that, even less than 0. Its maximum is
        log 2 = 0.693.
        """
        real, fake, count = real.detach(), fake.detach(), len(real)
        log_likelihood = -(F.softplus(-real) + F.softplus(fake)) / 2
        return {
            "d_real": Mean(real.sigmoid().sum(), count),
            "d_fake": Mean(fake.sigmoid().sum(), count),
            "d_accuracy": Mean((real > 0).count_nonzero() + (fake <= 0).count_nonzero(), 2 * count),
            "js": Mean(log_likelihood.sum() + count * math.log(2), count),
        }
