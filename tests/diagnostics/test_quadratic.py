import numpy as np
import pytest
import torch

from dltool.diagnostics.quadratic import Quadratic

RNG = np.random.default_rng(0)
X = 3 + RNG.standard_normal(500)
Y = 2 * X + 1 + 0.1 * RNG.standard_normal(500)
SURFACE = Quadratic.of(np.stack([X, np.ones_like(X)], axis=1), Y, ("w", "b"))


def test_the_closed_form_is_the_mean_squared_error() -> None:
    for w, b in RNG.normal(size=(20, 2)):
        expected = np.mean((w * X + b - Y) ** 2)
        assert SURFACE(np.array([w, b])) == pytest.approx(expected, rel=1e-10)
        by_hand = (
            np.mean(Y**2)
            + w**2 * np.mean(X**2)
            + b**2
            - 2 * w * np.mean(X * Y)
            - 2 * b * Y.mean()
            + 2 * w * b * X.mean()
        )
        assert expected == pytest.approx(by_hand, rel=1e-10)


def test_a_grid_in_float32_is_the_closed_form_to_its_rounding() -> None:
    w, b = np.meshgrid(np.linspace(-1, 4, 21), np.linspace(-2, 3, 21))
    theta = np.stack([w, b], axis=-1)
    x, y = (torch.from_numpy(one).float() for one in (X, Y))
    flat = torch.from_numpy(theta).float().view(-1, 2)
    losses = (flat[:, :1] * x + flat[:, 1:] - y).square().mean(dim=1).view(21, 21).double().numpy()
    np.testing.assert_allclose(losses, SURFACE(theta), rtol=2e-6, atol=2e-6)


def test_the_gradient_is_that_of_autograd() -> None:
    theta = torch.tensor([0.3, -0.7], dtype=torch.float64, requires_grad=True)
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    (theta[0] * x + theta[1] - y).square().mean().backward()
    np.testing.assert_allclose(SURFACE.gradient(theta.detach().numpy()), theta.grad, rtol=1e-12)


def test_the_minimum_is_least_squares() -> None:
    np.testing.assert_allclose(SURFACE.minimum, np.polyfit(X, Y, 1), rtol=1e-10)


@pytest.mark.parametrize(("share", "converges"), [(0.98, True), (1.02, False)])
def test_descent_converges_below_the_largest_rate_and_diverges_above(share: float, *, converges: bool) -> None:
    theta = np.zeros(2)
    for _ in range(20_000):
        theta = theta - share * SURFACE.largest_rate * SURFACE.gradient(theta)
        if np.abs(theta).max() > 1e6:
            break
    assert (np.abs(theta - SURFACE.minimum).max() < 1e-6) == converges


def test_a_mean_of_three_makes_an_elongated_valley() -> None:
    assert 90 < SURFACE.condition < 150
    centred = Quadratic.of(np.stack([X - X.mean(), np.ones_like(X)], axis=1), Y, ("w", "b"))
    assert centred.condition < 1.2


def test_the_excess_is_the_error_minus_the_least_one() -> None:
    for theta in RNG.normal(size=(20, 2)):
        residuals, least = theta[0] * X + theta[1] - Y, np.polyfit(X, Y, 1) @ np.stack([X, np.ones_like(X)]) - Y
        assert SURFACE.excess(theta) == pytest.approx(np.mean(residuals**2) - np.mean(least**2), rel=1e-10)
    close = SURFACE.minimum + np.array([1e-9, 0])
    assert SURFACE.excess(close) == pytest.approx(1e-18 * np.mean(X**2), rel=1e-6)  # E(θ) - E(θ*) itself would be 0.


def test_a_factor_scales_the_surface() -> None:
    half = Quadratic.of(np.stack([X, np.ones_like(X)], axis=1), Y, ("w", "b"), 0.5)
    theta = np.array([0.3, -2.0])
    assert half(theta) == pytest.approx(SURFACE(theta) / 2)
    assert half.largest_rate == pytest.approx(2 * SURFACE.largest_rate)
    np.testing.assert_allclose(half.minimum, SURFACE.minimum)
