"""The GAN loss with a generator loss that does not saturate."""

import torch.nn.functional as F
from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.declarations.component import Fraction, register
from dltool.losses.minimax import Minimax


@register("loss", "non_saturating", tasks=("gan",), default_for=("gan",))
class NonSaturating(Minimax):
    """D as in Minimax; G minimizes -E log D(G(z)) (Goodfellow et al. 2014, end of section 3).

    Both have the same fixed point, but this gradient is strong while D rejects the fakes.

    Args:
        label_smoothing: As in Minimax.
    """

    def __init__(self, spec: DataSpec, *, label_smoothing: Fraction[float] = 0.0) -> None:
        super().__init__(spec, label_smoothing=label_smoothing)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """-E log D(G(z))."""
        return F.softplus(-fake).mean()
