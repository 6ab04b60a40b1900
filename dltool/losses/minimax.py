"""The two-player game of the original GAN."""

import torch.nn.functional as F
from torch import Tensor

from dltool.component import Fraction, register
from dltool.spec import DataSpec


@register("loss", "minimax", tasks=("gan",))
class Minimax:
    """Eq. 1 of Goodfellow et al. (2014, arXiv:1406.2661): min over G, max over D of E log D(x) + E log(1 - D(G(z))).

    On logits a, log σ(a) = -softplus(-a) and log(1 - σ(a)) = -softplus(a), which never overflow. Once D
    tells the fakes apart, G's gradient vanishes; NonSaturating is the paper's remedy.

    Args:
        label_smoothing: s makes D's label of real data 1 - s, that of fakes stays 0 (one-sided, Salimans et
            al. 2016, arXiv:1606.03498, section 3.4). Not in the 2014 paper.
    """

    def __init__(self, spec: DataSpec, *, label_smoothing: Fraction[float] = 0.0) -> None:
        del spec  # The game is the same for all data.
        self.label_smoothing = label_smoothing

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """What D minimizes, a scalar, given its logits `(B,)` of real data and of fakes."""
        real = F.softplus(-real_logits).mean()
        if self.label_smoothing > 0:
            smooth = self.label_smoothing
            real = (1 - smooth) * real + smooth * F.softplus(real_logits).mean()
        return real + F.softplus(fake_logits).mean()

    def generator(self, fake_logits: Tensor) -> Tensor:
        """What G minimizes, a scalar, given D's logits `(B,)` of fakes: E log(1 - D(G(z)))."""
        return -F.softplus(fake_logits).mean()
