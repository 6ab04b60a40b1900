"""The GAN loss with squared errors."""

from torch import Tensor

from dltool.declarations.component import register
from dltool.losses.gan_loss import GanLoss
from dltool.metrics.mean import Mean


@register("loss", "least_squares_gan", tasks=("gan",))
class LeastSquaresGan(GanLoss):
    """LSGAN (Mao et al. 2017, arXiv:1611.04076, eq. 9): D's targets are 1 for data and 0 for fakes, G's target is 1.

    Fakes that D classifies as data but that are far from it still get a gradient. The factors 1/2 are the paper's.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return ((real - 1).square().mean() + fake.square().mean()) / 2

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return (fake - 1).square().mean() / 2

    def probabilities(self, outputs: Tensor) -> Tensor:
        """D itself: the optimum for the targets 1 and 0 is p / (p + q) (eq. 5 of the paper)."""
        return outputs

    def scores(self, real: Tensor, fake: Tensor) -> dict[str, Mean]:
        """The outputs are compared with 1/2, half way between the two labels."""
        right = (real.detach() > 0.5).count_nonzero() + (fake.detach() <= 0.5).count_nonzero()
        return super().scores(real, fake) | {"d_accuracy": Mean(right, 2 * len(real))}
