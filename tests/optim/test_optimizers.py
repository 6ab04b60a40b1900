"""Every registered optimizer: its fields are torch's, it steps, it learns, its state survives."""

import copy
import importlib
import inspect
from functools import partial

import pytest
import torch
from torch import nn

from dltool.declarations.source import component, registrations
from dltool.optim.optimizer import Optimizer

TORCH_CLASSES = {
    name.lower(): kind
    for name, kind in vars(torch.optim).items()
    if inspect.isclass(kind) and issubclass(kind, torch.optim.Optimizer) and kind is not torch.optim.Optimizer
}
NAMES = sorted(set(registrations()["optim"]) - {"none"})
DENSE = [name for name in NAMES if name != "sparse_adam"]
# See test_textbook.py and test_matrix_muon.py.
OURS = {"lr_in_velocity", "eps_inside_root", "filters", "renormalize", "other"}
SWITCHES = {"foreach", "capturable", "differentiable", "maximize", "fused"}
# A step that lowers the loss of a small network within 30 steps, where torch's default is too small to tell.
LEARNING_RATES = {"sgd": 0.1, "adadelta": 10.0, "radam": 0.02, "muon": 0.02}


def factory(name):
    declared = component("optim", name)
    return getattr(importlib.import_module(declared.module), declared.attribute)


def network(dtype=torch.float32):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.LayerNorm(8), nn.Tanh(), nn.Linear(8, 8), nn.Linear(8, 2)).to(dtype)


def build(name, module, **fields):
    return Optimizer(partial(factory(name), **fields)).build("model", module)


def train(optimizer, module, steps):
    """Full-batch least squares; returns the loss before the first and after the last step."""
    draw = torch.Generator().manual_seed(1)
    dtype = next(module.parameters()).dtype
    x = torch.randn(16, 3, generator=draw).to(dtype)
    y = torch.stack([x.sum(1), x[:, 0] - x[:, 1]], dim=1)

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(module(x), y)
        loss.backward()
        return loss

    losses = [float(optimizer.step(closure).detach()) for _ in range(steps)]
    return losses[0], float(closure().detach())


def test_every_optimizer_of_torch_is_registered():
    assert {name.replace("_", "") for name in NAMES} == set(TORCH_CLASSES)


@pytest.mark.parametrize("name", NAMES)
def test_fields_and_defaults_are_those_of_torch(name):
    torch_fields = inspect.signature(TORCH_CLASSES[name.replace("_", "")]).parameters
    expected = {key: field.default for key, field in torch_fields.items() if key not in SWITCHES | {"params"}}
    ours = {
        key: field.default
        for key, field in inspect.signature(factory(name)).parameters.items()
        if field.kind is field.KEYWORD_ONLY and not key.startswith(("adamw_", "sgd_")) and key not in OURS
    }
    assert ours == expected


@pytest.mark.parametrize("name", DENSE)
def test_learns(name):
    module = network()
    fields = {"lr": LEARNING_RATES[name]} if name in LEARNING_RATES else {}
    first, last = train(build(name, module, **fields), module, steps=30)
    assert last < 0.9 * first


@pytest.mark.parametrize("name", DENSE)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_state_round_trip_is_bitwise(name, dtype):
    module = network(dtype)
    optimizer = build(name, module)
    train(optimizer, module, steps=3)
    weights, state = copy.deepcopy(module.state_dict()), copy.deepcopy(optimizer.state_dict())
    train(optimizer, module, steps=3)

    resumed = network(dtype)
    resumed.load_state_dict(weights)
    restored = build(name, resumed)
    restored.load_state_dict(state)
    train(restored, resumed, steps=3)

    assert restored.state_dict()["param_groups"] == optimizer.state_dict()["param_groups"]
    for parameter, expected in zip(resumed.parameters(), module.parameters(), strict=True):
        assert torch.equal(parameter, expected)


@pytest.mark.parametrize("name", [name for name in DENSE if name != "muon"])  # Muon's own is in test_muon.py.
def test_equals_the_optimizer_of_torch(name):
    ours, theirs = network(torch.float64), network(torch.float64)
    train(build(name, ours), ours, steps=5)
    train(TORCH_CLASSES[name](theirs.parameters()), theirs, steps=5)
    for parameter, expected in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(parameter, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({"nesterov": True, "momentum": 0.0, "dampening": 0.0}, False),
        ({"nesterov": True, "momentum": 0.9, "dampening": 0.1}, False),
        ({"nesterov": True, "momentum": 0.9, "dampening": 0.0}, True),
        ({"nesterov": False, "momentum": 0.0, "dampening": 0.5}, True),
    ],
)
def test_nesterov_rule_says_what_torch_says(fields, allowed, settings):
    (rule,) = (rule for rule in component("optim", "sgd").rules if "nesterov" in rule.message)
    assert rule.condition(settings(optim=fields)) is allowed
    if allowed:
        build("sgd", network(), **fields)
    else:
        with pytest.raises(ValueError, match="Nesterov"):
            torch.optim.SGD(network().parameters(), **fields)


def test_rprop_refuses_what_it_would_not_feel(settings):
    scheduled = settings(optim={"decay_bias_norm": True}, schedule={"name": "cosine", "warmup_steps": 0})
    plain = settings(optim={"decay_bias_norm": True}, schedule={"name": "constant", "warmup_steps": 0})
    rules = component("optim", "rprop").rules
    assert [rule.condition(scheduled) for rule in rules].count(False) == 1
    assert all(rule.condition(plain) for rule in rules)

    module, same = network(), network()
    slowed, steady = build("rprop", module), build("rprop", same)
    train(slowed, module, steps=1)
    train(steady, same, steps=1)
    slowed.param_groups[0]["lr"] = 0.0  # What the rule says: no effect after the first step.
    assert train(slowed, module, steps=4) == train(steady, same, steps=4)
