"""The GAN game with squared errors."""

from torch import Tensor

from dltool.declarations.component import register
from dltool.losses.gan_loss import GanLoss
from dltool.metrics.mean import Mean


@register("loss", "least_squares_gan", tasks=("gan",))
class LeastSquaresGan(GanLoss):
    """LSGAN (Mao et al. 2017, arXiv:1611.04076, eq. 9): D learns 1 for data and 0 for fakes, G wants 1.

    Samples that D takes for data but that lie far from it are still moved. The halves are the paper's.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return ((real - 1).square().mean() + fake.square().mean()) / 2

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return (fake - 1).square().mean() / 2

    def scores(self, real: Tensor, fake: Tensor) -> dict[str, Mean]:
        """The outputs are held against 1/2, half way between the two labels."""
        right = (real.detach() > 0.5).count_nonzero() + (fake.detach() <= 0.5).count_nonzero()
        return super().scores(real, fake) | {"d_accuracy": Mean(right, 2 * len(real))}
