"""The loss over two parameters: its values, its gradient, and the minima that are found."""

import numpy as np
import pytest
import torch
from torch import Tensor

from dltool.diagnostics.loss_surface import LossSurface

NAMES = ("w₁", "w₂")
X = torch.linspace(-3, 3, 61, dtype=torch.float64)


def two_wells(theta: Tensor) -> Tensor:
    """Minima at (±1, ±1)."""
    return (theta[0] ** 2 - 1) ** 2 + (theta[1] - theta[0]) ** 2


def network(theta: Tensor) -> Tensor:
    """The squared error of w₂ tanh(w₁ x) for the targets 1.5 tanh(0.8 x)."""
    return (theta[1] * torch.tanh(theta[0] * X) - 1.5 * torch.tanh(0.8 * X)).square().mean()


@pytest.mark.parametrize(("loss", "minimum"), [(two_wells, (1.0, 1.0)), (network, (0.8, 1.5))])
def test_both_wells_are_found(loss: object, minimum: tuple[float, float]) -> None:
    surface = LossSurface(loss, NAMES, 2.5, [np.array([0.3, -0.1])])  # type: ignore[arg-type]
    found = sorted(surface.minima.tolist())
    np.testing.assert_allclose(found, [[-minimum[0], -minimum[1]], minimum], atol=1e-6)
    np.testing.assert_allclose(surface.excess(surface.minima), 0, atol=1e-12)


def test_the_values_and_the_gradient_are_those_of_the_loss() -> None:
    surface = LossSurface(two_wells, NAMES, 2.5, [])
    for theta in np.random.default_rng(0).normal(size=(20, 2)):
        place = torch.tensor(theta, requires_grad=True)
        (slope,) = torch.autograd.grad(two_wells(place), place)
        assert surface(theta) == pytest.approx(two_wells(place).item(), rel=1e-12)
        np.testing.assert_allclose(surface.gradient(theta), slope, rtol=1e-12)
    grid = np.stack(np.meshgrid([0.0, 1.0, 2.0], [0.0, 1.0]), axis=-1)
    assert surface(grid).shape == (2, 3)
    assert surface.gradient(grid).shape == grid.shape


def test_a_minimum_that_a_path_leads_to_enlarges_the_window() -> None:
    surface = LossSurface(lambda theta: (theta - 4).square().sum(), NAMES, 2.0, [np.array([1.0, 1.0])])
    np.testing.assert_allclose(surface.minima, [[4, 4]], atol=1e-6)
    assert surface.corners[1][0] > 4
    far = LossSurface(lambda theta: (theta - 40).square().sum(), NAMES, 2.0, [np.array([1.0, 1.0])])
    assert (len(far.minima), far.corners[1].tolist()) == (0, [2.0, 2.0])
    assert far.minimum.tolist() == [2.0, 2.0]  # The lowest corner.


@pytest.mark.parametrize(
    "loss",
    [
        lambda theta: (theta[0] * theta[1] - 1) ** 2,  # A valley: every (w, 1/w).
        lambda theta: theta[0] ** 2 - theta[1] ** 2,  # A saddle.
        lambda theta: theta.sum(),
    ],
)
def test_valleys_and_saddles_are_no_isolated_minima(loss: object) -> None:
    surface = LossSurface(loss, NAMES, 2.0, [np.array([0.5, 0.5]), np.zeros(2)])  # type: ignore[arg-type]
    assert len(surface.minima) == 0
    grid = np.stack(np.meshgrid(*[np.linspace(-2, 2, 9)] * 2), axis=-1)
    assert surface.excess(grid).min() > -0.01
