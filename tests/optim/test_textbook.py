"""The lectures' forms of momentum and RMSprop, against their formulas written out."""

import copy
from functools import partial

import pytest
import torch
from torch import nn

from dltool.declarations.source import component
from dltool.optim.optimizer import Optimizer
from dltool.optim.optimizers import rmsprop, sgd

GRADIENTS = [2.0, -1.0, 0.5, 3.0]
RATES = [0.1, 0.1, 0.01, 0.001]  # As of a schedule.


def path(factory, rates=RATES, start=1.0, **fields):
    """Where a single number goes under the gradients above."""
    module = nn.Module()
    module.x = nn.Parameter(torch.tensor([start], dtype=torch.float64))
    optimizer = Optimizer(partial(factory, lr=0.1, **fields)).build("model", module)
    points = []
    for rate, gradient in zip(rates, GRADIENTS, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        module.x.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        points.append(module.x.item())
    return points


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("nesterov", [False, True])
def test_the_velocity_has_the_learning_rate_inside(decay, nesterov):
    x, v, expected = 1.0, 0.0, []
    for rate, gradient in zip(RATES, GRADIENTS, strict=True):
        g = gradient + decay * x
        v = 0.9 * v + rate * g
        x = x - (0.9 * v + rate * g) if nesterov else x - v
        expected.append(x)
    fields = {"momentum": 0.9, "weight_decay": decay, "nesterov": nesterov}
    assert path(sgd, lr_in_velocity=True, **fields) == pytest.approx(expected, rel=1e-14)
    torch_form = path(sgd, **fields)
    assert torch_form[:2] == pytest.approx(expected[:2], rel=1e-14)  # As long as the rate is constant.
    assert torch_form[2] != pytest.approx(expected[2], rel=1e-3)


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("centered", [False, True])
def test_epsilon_is_inside_the_root(decay, momentum, centered):
    x, s, m, v, expected = 1.0, 0.0, 0.0, 0.0, []
    for rate, gradient in zip(RATES, GRADIENTS, strict=True):
        g = gradient + decay * x
        s = 0.9 * s + 0.1 * g**2
        m = 0.9 * m + 0.1 * g
        v = momentum * v + g / (s - centered * m**2 + 0.04) ** 0.5
        x = x - rate * v
        expected.append(x)
    fields = {"alpha": 0.9, "eps": 0.04, "momentum": momentum, "weight_decay": decay, "centered": centered}
    assert path(rmsprop, eps_inside_root=True, **fields) == pytest.approx(expected, rel=1e-13)
    assert path(rmsprop, **fields)[0] != pytest.approx(expected[0], rel=1e-3)


def test_without_epsilon_rmsprop_is_that_of_torch():
    fields = {"eps": 0.0, "momentum": 0.9, "centered": True, "weight_decay": 0.1}
    assert path(rmsprop, eps_inside_root=True, **fields) == pytest.approx(path(rmsprop, **fields), rel=1e-12)


@pytest.mark.parametrize(
    ("factory", "fields"),
    [
        (sgd, {"lr_in_velocity": True, "momentum": 0.9}),
        (rmsprop, {"eps_inside_root": True, "momentum": 0.9, "centered": True}),
    ],
)
def test_state_round_trip_is_bitwise(factory, fields):
    def step(optimizer, module, number):
        for parameter in module.parameters():
            parameter.grad = torch.full_like(parameter, 0.3 + number)
        optimizer.step()

    whole = nn.Linear(3, 2)
    optimizer = Optimizer(partial(factory, lr=0.1, **fields)).build("model", whole)
    for number in range(3):
        step(optimizer, whole, number)
    resumed = copy.deepcopy(whole)
    restored = Optimizer(partial(factory, lr=0.1, **fields)).build("model", resumed)
    restored.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for number in range(3, 6):
        step(optimizer, whole, number)
        step(restored, resumed, number)
    assert torch.equal(whole.weight, resumed.weight)


def test_a_parameter_without_a_gradient_stays():
    for factory, fields in ((sgd, {"lr_in_velocity": True, "momentum": 0.9}), (rmsprop, {"eps_inside_root": True})):
        module = nn.Linear(2, 2)
        before = module.weight.detach().clone()
        optimizer = Optimizer(partial(factory, **fields)).build("model", module)
        module.bias.grad = torch.ones(2)
        optimizer.step()
        assert torch.equal(module.weight, before)


@pytest.mark.parametrize(("momentum", "dampening", "allowed"), [(0.0, 0.0, False), (0.9, 0.1, False), (0.9, 0.0, True)])
def test_a_velocity_needs_momentum(momentum, dampening, allowed, settings):
    fields = {"lr_in_velocity": True, "nesterov": False, "momentum": momentum, "dampening": dampening}
    assert all(rule.condition(settings(optim=fields)) for rule in component("optim", "sgd").rules) is allowed
