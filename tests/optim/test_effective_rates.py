"""The rate of each parameter against the steps that torch's optimizers take on a quadratic."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from dltool.optim.effective_rates import effective_rates
from dltool.optim.textbook import TextbookRMSprop

Make = Callable[[list[Tensor]], torch.optim.Optimizer]
CURVATURES = torch.tensor([100.0, 1.0], dtype=torch.float64)


def gradient(state: dict[str, Any], g: Tensor) -> Tensor:
    return g


def mean_gradient(state: dict[str, Any], g: Tensor) -> Tensor:
    """Adam's m̂."""
    mean: Tensor = state["exp_avg"] / (1 - 0.9 ** float(state["step"]))
    return mean


def velocity(state: dict[str, Any], g: Tensor) -> Tensor:
    found: Tensor = state["momentum_buffer"]
    return found


@pytest.mark.parametrize(
    ("make", "factor"),
    [
        (lambda p: torch.optim.SGD(p, lr=0.01), gradient),
        (lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9), velocity),
        (lambda p: torch.optim.Adagrad(p, lr=0.1), gradient),
        (lambda p: torch.optim.Adagrad(p, lr=0.1, lr_decay=0.5), gradient),
        (lambda p: torch.optim.RMSprop(p, lr=0.01), gradient),
        (lambda p: torch.optim.RMSprop(p, lr=0.01, centered=True), gradient),
        (lambda p: TextbookRMSprop(p, lr=0.01), gradient),
        (lambda p: torch.optim.Adam(p, lr=0.1), mean_gradient),
        (lambda p: torch.optim.Adam(p, lr=0.1, amsgrad=True), mean_gradient),
        (lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0), mean_gradient),
    ],
)
def test_a_step_is_the_rate_times_the_gradient_or_its_mean(
    make: Make, factor: Callable[[dict[str, Any], Tensor], Tensor]
) -> None:
    theta = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    optimizer = make([theta])
    for _ in range(4):
        optimizer.zero_grad()
        (CURVATURES * theta.square()).sum().backward()
        before = theta.detach().clone()
        optimizer.step()
        rates = effective_rates(optimizer)
        assert rates is not None
        assert theta.grad is not None
        step = -rates[0] * factor(optimizer.state[theta], theta.grad)
        torch.testing.assert_close(theta.detach() - before, step, rtol=1e-10, atol=1e-14)


def test_the_rates_of_adaptive_optimizers_equalise_the_curvatures() -> None:
    """In Adam's first step each number moves by η, however steep the loss is along it."""
    theta = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([theta], lr=0.1)
    (CURVATURES * theta.square()).sum().backward()
    assert effective_rates(optimizer) is None
    optimizer.step()
    rates = effective_rates(optimizer)
    assert rates is not None
    torch.testing.assert_close(rates[0], 0.1 / torch.tensor([200.0, 4.0], dtype=torch.float64), rtol=1e-7, atol=0)


def test_an_optimizer_without_such_a_factor() -> None:
    theta = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.Rprop([theta])
    theta.sum().backward()
    optimizer.step()
    assert effective_rates(optimizer) is None
