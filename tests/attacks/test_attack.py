"""Attacks by hand on models small enough for it, and what holds for all of them."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dltool.attacks.attack import Attack
from dltool.attacks.ball import Ball
from dltool.attacks.fgsm import FGSM
from dltool.attacks.margin import Margin
from dltool.attacks.noise import Noise
from dltool.attacks.pgd import PGD
from dltool.core.errors import ConfigError

ATTACKS = {
    "noise": Noise,
    "fgsm": FGSM,
    "fgsm_rs": lambda **shared: FGSM(random_start=True, step=1.25, **shared),
    "pgd": lambda **shared: PGD(steps=4, restarts=2, **shared),
    "bim": lambda **shared: PGD(steps=4, random_start=False, **shared),
    "margin": lambda **shared: Margin(steps=4, **shared),
}


def images(count: int = 6) -> torch.Tensor:
    pixels = torch.rand(count, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    pixels[:, :, 0] = 0  # The border of the range.
    pixels[:, :, 1] = 1
    return pixels


LABELS = torch.tensor([0, 1, 2, 0, 1, 2])


def linear() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(50, 3))


def small() -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(nn.Conv2d(2, 6, 3), nn.Tanh(), nn.Flatten(), nn.Linear(54, 16), nn.ReLU(), nn.Linear(16, 3))


def test_fgsm_is_eps_times_the_sign_of_the_gradient() -> None:
    """Of a linear model the cross-entropy's gradient is (p - y) W."""
    model, pixels = linear(), images()
    weight = model[1].weight.detach()
    wrong = model(pixels).softmax(1).detach() - F.one_hot(LABELS, 3)
    gradient = (wrong @ weight).view_as(pixels)
    expected = (pixels + 0.1 * gradient.sign()).clamp(0, 1)
    torch.testing.assert_close(FGSM(eps=0.1)(model, pixels, LABELS), expected)
    inside = 0.5 + 0 * pixels  # Where no pixel comes to a border, L2 moves by eps along the gradient.
    wrong = model(inside).softmax(1).detach() - F.one_hot(LABELS, 3)
    gradient = wrong @ weight
    expected = inside + 0.1 * F.normalize(gradient).view_as(inside)
    torch.testing.assert_close(FGSM(eps=0.1, norm="l2")(model, inside, LABELS), expected)


def test_pgd_by_hand() -> None:
    """Two steps of BIM, written out."""
    model, pixels = small(), images()
    moved = pixels.clone()
    for _ in range(2):
        moved.requires_grad_()
        (gradient,) = torch.autograd.grad(F.cross_entropy(model(moved), LABELS, reduction="sum"), moved)
        moved = moved.detach() + 0.07 * gradient.sign()
        moved = torch.min(torch.max(moved, pixels - 0.1), pixels + 0.1).clamp(0, 1)
    attack = PGD(eps=0.1, steps=2, step_size=0.07, random_start=False)
    torch.testing.assert_close(attack(model, pixels, LABELS), moved)
    assert PGD(eps=0.2, steps=10).step_size == pytest.approx(0.05)


def test_margin_is_the_lead_of_the_best_wrong_class() -> None:
    logits = torch.tensor([[3.0, 1.0, 2.5], [0.0, 9.0, -1.0]])
    assert Margin(confidence=5)(linear(), images(), LABELS).shape == images().shape
    assert Margin(confidence=5).objective(logits, torch.tensor([0, 2])).tolist() == [-0.5, 5.0]


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("name", ATTACKS)
def test_stays_in_the_ball_and_in_the_range(name: str, norm: str) -> None:
    model, pixels = small(), images()
    for eps in (0.0, 0.05, 0.3):
        torch.manual_seed(0)
        moved = ATTACKS[name](norm=norm, eps=eps)(model, pixels, LABELS)
        assert ((moved >= 0) & (moved <= 1)).all()
        assert (Ball(norm, eps).size(moved - pixels) <= eps + 1e-6).all()
        assert not moved.requires_grad
        assert eps == 0 or not torch.equal(moved, pixels)
        torch.manual_seed(0)
        half = ATTACKS[name](norm=norm, eps=eps)(model, pixels, LABELS, strength=0.5)
        assert (Ball(norm, eps).size(half - pixels) <= eps / 2 + 1e-6).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_projection(norm: str) -> None:
    ball, far = Ball(norm, 0.5), 3 * torch.randn(4, 2, 3, 3)
    near = ball.project(far)
    torch.testing.assert_close(ball.size(near), torch.full((4,), 0.5))
    torch.testing.assert_close(ball.project(near), near)
    assert torch.equal(ball.project(0 * far), 0 * far)
    assert torch.equal(ball.steepest(0 * far), 0 * far)  # No direction, no number that is none.
    torch.testing.assert_close(ball.size(ball.surface(far)), torch.full((4,), 0.5))
    torch.manual_seed(0)
    inside = ball.size(ball.inside(torch.zeros(4000, 1, 1, 2)))
    assert (inside <= 0.5).all()
    # Uniform over a plane's disc or square: half of it lies within 1/sqrt(2) of the radius.
    assert (inside < 0.5 / 2**0.5).float().mean() == pytest.approx(0.5, abs=0.03)


def test_more_restarts_are_never_weaker() -> None:
    model, pixels = small(), torch.rand(200, 2, 5, 5)
    labels = model(pixels).argmax(1)
    fooled, heights = [], []
    for restarts in (1, 3):
        torch.manual_seed(5)  # The first restart of both is the same.
        moved = PGD(eps=0.08, steps=1, restarts=restarts)(model, pixels, labels)
        logits = model(moved)
        fooled.append(logits.argmax(1) != labels)
        heights.append(F.cross_entropy(logits, labels, reduction="none"))
    assert (fooled[1] | ~fooled[0]).all()
    assert fooled[1].sum() > fooled[0].sum()
    same = fooled[0] == fooled[1]
    assert (heights[1][same] >= heights[0][same]).all()


def test_more_steps_climb_higher_and_noise_is_no_attack() -> None:
    model, pixels = small(), torch.rand(200, 2, 5, 5)
    labels = model(pixels).argmax(1)

    def height(attack: Attack) -> float:
        torch.manual_seed(0)
        return F.cross_entropy(model(attack(model, pixels, labels)), labels).item()

    clean = F.cross_entropy(model(pixels), labels).item()
    noise, fgsm, pgd = (height(attack) for attack in (Noise(eps=0.2), FGSM(eps=0.2), PGD(eps=0.2, steps=20)))
    assert pgd >= fgsm > clean
    assert abs(noise - clean) < 0.2 * (fgsm - clean)


def test_touches_no_gradient_and_works_without_grad() -> None:
    model, pixels = small(), images()
    for parameter in model.parameters():
        parameter.requires_grad_(False)  # As an updater leaves the networks of other roles.
    with torch.no_grad():
        moved = PGD(eps=0.1, steps=2, random_start=False)(model, pixels, LABELS)
    for parameter in model.parameters():
        parameter.requires_grad_(True)
        parameter.grad = torch.ones_like(parameter)
    torch.testing.assert_close(PGD(eps=0.1, steps=2, random_start=False)(model, pixels, LABELS), moved)
    assert all((parameter.grad == 1).all() for parameter in model.parameters())


def test_eps_beyond_the_range() -> None:
    with pytest.raises(ConfigError, match="eps=8 is more than the whole range") as caught:
        PGD(eps=8)
    assert caught.value.hint == "attack.eps=0.0314 for 8/255, or attack.norm=l2"
    assert PGD(eps=8, norm="l2").ball.eps == 8
