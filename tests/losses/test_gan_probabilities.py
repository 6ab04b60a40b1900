"""The outputs of a GAN's discriminator as probabilities of data: at D's optimum they are p / (p + q)."""

import pytest
import torch

from dltool.core.spec import DataSpec
from dltool.losses.gan_loss import GanLoss
from dltool.losses.hinge_gan import HingeGan
from dltool.losses.least_squares_gan import LeastSquaresGan
from dltool.losses.minimax import Minimax
from dltool.losses.non_saturating import NonSaturating
from dltool.losses.wasserstein import Wasserstein

SPEC = DataSpec(input_shape=(1,), target="classes")
# At one place 3 of 4 samples are data.
REAL, FAKE = 3, 1


@pytest.mark.parametrize(
    "loss", [Minimax(SPEC), NonSaturating(SPEC), Minimax(SPEC, label_smoothing=0.1), LeastSquaresGan(SPEC)]
)
def test_the_optimum_is_the_share_of_data(loss: GanLoss) -> None:
    output = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([output], lr=0.2)
    for _ in range(500):
        optimizer.zero_grad()
        # The density of data is three times that of the fakes.
        value = REAL * loss.discriminator(output, output.detach()) + FAKE * loss.discriminator(output.detach(), output)
        value.backward()
        optimizer.step()
    found = loss.probabilities(output.detach())
    assert found is not None
    assert found.item() == pytest.approx(0.75, abs=1e-4)


@pytest.mark.parametrize("loss", [Wasserstein(SPEC), HingeGan(SPEC)])
def test_a_critic_has_none(loss: GanLoss) -> None:
    assert loss.probabilities(torch.ones(2)) is None
