import math

import pytest
import torch

from dltool.diagnostics.range_test import has_diverged, smoothed, suggested_range
from dltool.optim.range_test import RangeTest


def test_the_average_is_corrected_at_the_start() -> None:
    assert smoothed([3.0, 3.0, 3.0]) == pytest.approx([3, 3, 3])
    assert smoothed([1.0, 2.0])[1] == pytest.approx((0.9 * 0.1 * 1 + 0.1 * 2) / (1 - 0.81))


def test_the_range_is_where_the_loss_falls() -> None:
    """Flat, a fall over the factors 1e-3 to 1e-1, a rise."""
    rates = [10 ** (-6 + 0.02 * place) for place in range(400)]
    losses = [2.0 - min(max(math.log10(rate) + 3, 0), 2) / 2 + max(math.log10(rate) + 0.5, 0) * 9 for rate in rates]
    found = suggested_range(rates, losses)
    assert found is not None
    assert 1e-3 < found.low < 4e-3
    assert 5e-2 < found.high < 3e-1
    assert suggested_range(rates, [1.0 + place for place in range(400)]) is None
    assert suggested_range(rates, [math.nan] * 400) is None


@pytest.mark.parametrize(
    ("losses", "diverged"),
    [
        ([1.0] * 30, False),
        ([1.0] * 30 + [1000.0], True),
        ([1.0, math.inf], True),
        ([-1.0] * 30 + [5.0], False),
        ([], False),
    ],
)
def test_divergence(losses: list[float], *, diverged: bool) -> None:
    assert has_diverged(losses) == diverged


def test_on_a_quadratic_the_steepest_direction_rises_first_beyond_two_over_its_curvature() -> None:
    curvatures = torch.tensor([10.0, 1.0], dtype=torch.float64)
    theta = torch.ones(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr=1.0)
    optimizer.param_groups[0]["initial_lr"] = 1.0
    schedule, total, rises = RangeTest(low=1e-3, high=10), 400, {}
    for step in range(total):
        schedule.apply(optimizer, step, 0, total, None)
        before = theta.detach().abs().clone()
        optimizer.zero_grad()
        (0.5 * curvatures * theta**2).sum().backward()
        optimizer.step()
        for place in range(2):
            if theta[place].abs() > before[place] and place not in rises:
                rises[place] = optimizer.param_groups[0]["lr"]
    assert rises[0] == pytest.approx(2 / 10, rel=0.03)
    assert rises[1] == pytest.approx(2 / 1, rel=0.03)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(10)
