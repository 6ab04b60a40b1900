"""The non-saturating GAN loss with a penalty on D's gradient at the data."""

from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.declarations.component import NonNegative, Positive, register
from dltool.losses.gan_loss import Discriminate, squared_gradient_norms
from dltool.losses.non_saturating import NonSaturating


@register("loss", "non_saturating_r1", tasks=("gan",))
class NonSaturatingR1(NonSaturating):
    """NonSaturating with R1, γ/2 E |∇D(x)|², in D's loss (Mescheder et al. 2018, arXiv:1801.04406, eq. 9).

    Computed only at every n-th step it is multiplied by n, "lazy regularization" (Karras et al. 2020,
    arXiv:1912.04958, section 3.1).

    Args:
        r1: γ.
        r1_every_n_steps: n.
    """

    def __init__(self, spec: DataSpec, *, r1: NonNegative[float] = 1.0, r1_every_n_steps: Positive[int] = 1) -> None:
        super().__init__(spec)
        self.r1 = r1
        self.r1_every_n_steps = r1_every_n_steps

    def penalty(self, discriminate: Discriminate, reals: Tensor, fakes: Tensor, step: int) -> Tensor | None:
        if not self.r1 or step % self.r1_every_n_steps:
            return None
        return self.r1_every_n_steps * self.r1 / 2 * squared_gradient_norms(discriminate, reals).mean()
