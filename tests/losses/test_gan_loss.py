"""The losses of two adversaries, by hand."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dltool.core.spec import DataSpec
from dltool.losses.hinge_gan import HingeGan
from dltool.losses.least_squares_gan import LeastSquaresGan
from dltool.losses.minimax import Minimax
from dltool.losses.non_saturating import NonSaturating
from dltool.losses.non_saturating_r1 import NonSaturatingR1
from dltool.losses.relativistic import Relativistic
from dltool.losses.wasserstein import Wasserstein
from dltool.losses.wasserstein_gp import WassersteinGp

SPEC = DataSpec((2,), "none")
REAL, FAKE = torch.tensor([1.5, -0.5, 0.2]), torch.tensor([-1.0, 0.4, 0.1])
POINTS = torch.randn(5, 1, 3, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("game", "of_d", "of_g"),
    [
        (LeastSquaresGan(SPEC), (((REAL - 1) ** 2).mean() + (FAKE**2).mean()) / 2, ((FAKE - 1) ** 2).mean() / 2),
        (HingeGan(SPEC), F.relu(1 - REAL).mean() + F.relu(1 + FAKE).mean(), -FAKE.mean()),
        (Wasserstein(SPEC), FAKE.mean() - REAL.mean(), -FAKE.mean()),
        (WassersteinGp(SPEC), FAKE.mean() - REAL.mean(), -FAKE.mean()),
        (Relativistic(SPEC), -(REAL - FAKE).sigmoid().log().mean(), -(FAKE - REAL).sigmoid().log().mean()),
        (
            NonSaturatingR1(SPEC),
            -REAL.sigmoid().log().mean() - (1 - FAKE.sigmoid()).log().mean(),
            -FAKE.sigmoid().log().mean(),
        ),
    ],
)
def test_what_both_minimize(game, of_d, of_g):
    assert game.discriminator(REAL, FAKE).item() == pytest.approx(of_d.item(), abs=1e-6)
    assert game.generator(FAKE, REAL).item() == pytest.approx(of_g.item(), abs=1e-6)


def test_js_of_the_best_discriminator_is_the_divergence():
    """Two distributions over three points, of which D knows the odds."""
    p, q = torch.tensor([0.5, 0.25, 0.25]), torch.tensor([0.25, 0.25, 0.5])
    odds = (p / q).log()
    real = odds[torch.multinomial(p, 200_000, replacement=True, generator=torch.Generator().manual_seed(0))]
    fake = odds[torch.multinomial(q, 200_000, replacement=True, generator=torch.Generator().manual_seed(1))]
    middle = (p + q) / 2
    js = ((p * (p / middle).log()).sum() + (q * (q / middle).log()).sum()) / 2
    assert Minimax(SPEC).scores(real, fake)["js"].value() == pytest.approx(js.item(), abs=2e-3)
    apart = NonSaturating(SPEC).scores(torch.full((4,), 50.0), torch.full((4,), -50.0))
    assert apart["js"].value() == pytest.approx(math.log(2))


def test_verdicts():
    critic = Wasserstein(SPEC).scores(REAL, FAKE)
    assert critic["wasserstein"].value() == pytest.approx((REAL.mean() - FAKE.mean()).item())
    assert critic["d_accuracy"].value() == pytest.approx(2 / 3)  # 1.5 > -1 and 0.2 > 0.1, but -0.5 < 0.4.
    assert LeastSquaresGan(SPEC).scores(REAL, FAKE)["d_accuracy"].value() == pytest.approx(4 / 6)


def norms_by_hand(critic, points):
    lengths = []
    for point in points:
        point = point[None].clone().requires_grad_()
        critic(point).sum().backward()
        lengths.append(point.grad.norm())
    return torch.stack(lengths)


def make_critic():
    torch.manual_seed(1)
    layers = nn.Sequential(nn.Flatten(), nn.Linear(9, 7), nn.Tanh(), nn.Linear(7, 1))
    return lambda samples: layers(samples)[:, 0], layers


def test_gradient_penalty_by_hand():
    """The norm of a sample's whole gradient, at one place a sample between it and its fake."""
    critic, _ = make_critic()
    fakes = POINTS + 1
    torch.manual_seed(2)
    penalty = WassersteinGp(SPEC, weight=3.0).penalty(critic, POINTS, fakes, 0)
    torch.manual_seed(2)
    alpha = torch.rand(5, 1, 1, 1)
    norms = norms_by_hand(critic, alpha * POINTS + (1 - alpha) * fakes)
    assert penalty.item() == pytest.approx((3 * (norms - 1).square().mean()).item(), rel=1e-5)


def test_gradient_penalty_of_a_linear_critic():
    weights = torch.tensor([3.0, 4.0])
    penalty = WassersteinGp(SPEC).penalty(lambda x: x @ weights, torch.zeros(4, 2), torch.ones(4, 2), 0)
    assert penalty.item() == pytest.approx(10 * (5 - 1) ** 2)


def test_r1_and_r2_by_hand():
    critic, _ = make_critic()
    fakes = POINTS - 2
    penalty = Relativistic(SPEC, r1=0.5, r2=2.0).penalty(critic, POINTS, fakes, 0)
    expected = norms_by_hand(critic, POINTS).square().mean() / 4 + norms_by_hand(critic, fakes).square().mean()
    assert penalty.item() == pytest.approx(expected.item(), rel=1e-5)
    assert Relativistic(SPEC, r1=0.0, r2=0.0).penalty(critic, POINTS, fakes, 0) is None


def test_penalties_teach_the_critic():
    critic, layers = make_critic()
    Relativistic(SPEC).penalty(critic, POINTS, POINTS + 1, 0).backward()
    assert layers[1].weight.grad.abs().max() > 0


def test_lazy_r1():
    critic, _ = make_critic()
    lazy, eager = NonSaturatingR1(SPEC, r1=2.0, r1_every_n_steps=4), NonSaturatingR1(SPEC, r1=2.0)
    assert [lazy.penalty(critic, POINTS, POINTS, step) is not None for step in range(9)] == [
        step % 4 == 0 for step in range(9)
    ]
    assert torch.allclose(lazy.penalty(critic, POINTS, POINTS, 8), 4 * eager.penalty(critic, POINTS, POINTS, 8))


@pytest.mark.parametrize("game", [WassersteinGp(SPEC), Relativistic(SPEC), NonSaturatingR1(SPEC)])
def test_penalties_in_float32_under_autocast(game):
    critic, _ = make_critic()
    torch.manual_seed(3)
    exact = game.penalty(critic, POINTS, POINTS + 1, 0)
    torch.manual_seed(3)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = game.penalty(critic, POINTS.bfloat16().float(), (POINTS + 1).bfloat16().float(), 0)
    assert mixed.dtype == torch.float32
    assert mixed.item() == pytest.approx(exact.item(), rel=0.02)


def test_clipping_and_the_bursts_of_the_critic():
    _, layers = make_critic()
    layers[3].bias.requires_grad_(False).fill_(5)
    game = Wasserstein(SPEC, clip=0.01)
    game.constrain(layers)
    assert layers[1].weight.abs().max() <= 0.01
    assert layers[3].bias.item() == 5  # Frozen weights are not touched.
    assert [game.steps_of_discriminator(step) for step in (0, 24, 25, 499, 500, 501, 1000)] == [
        *(100, 100, 5, 5, 100, 5, 100)
    ]
    plain = Wasserstein(SPEC, num_first_bursts=0, burst_every_n_steps=None)
    assert {plain.steps_of_discriminator(step) for step in range(1001)} == {5}
