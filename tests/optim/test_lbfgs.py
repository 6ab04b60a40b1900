"""L-BFGS minimizes a quadratic exactly, micro-batches inside its closure too, and says what it cannot do."""

from functools import partial

import pytest
import torch
from torch import nn

from dltool.declarations.source import component
from dltool.optim.lbfgs import lbfgs
from dltool.optim.optimizer import Optimizer

ALLOWED = {
    "task": {"loss_for": "data"},
    "trainer": {"precision": 32, "clip_norm": None, "clip_value": None, "accumulate": 4},
    "optim": {"decay_bias_norm": True, "lr_factors": None},
}


@pytest.mark.parametrize("parts", [1, 3], ids="{} micro-batches".format)
def test_finds_the_least_squares_solution_in_few_steps(parts):
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(20, 4, generator=draw, dtype=torch.float64)
    y = torch.randn(20, 1, generator=draw, dtype=torch.float64)
    module = nn.Linear(4, 1, bias=False, dtype=torch.float64)
    optimizer = Optimizer(partial(lbfgs, line_search_fn="strong_wolfe", tolerance_change=0.0)).build("model", module)

    def closure():
        optimizer.zero_grad()
        total = 0.0
        for inputs, targets in zip(x.tensor_split(parts), y.tensor_split(parts), strict=True):
            loss = (module(inputs) - targets).square().sum() / len(x)
            loss.backward()
            total += loss.detach()
        return total

    for _ in range(3):
        optimizer.step(closure)
    torch.testing.assert_close(module.weight.detach().T, torch.linalg.lstsq(x, y).solution, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("group", "field", "value"),
    [
        ("task", "loss_for", "gan"),
        ("trainer", "precision", "16-mixed"),
        ("trainer", "clip_norm", 1.0),
        ("trainer", "clip_value", 1.0),
        ("optim", "decay_bias_norm", False),
        ("optim", "lr_factors", {"head": 0.1}),
    ],
)
def test_what_it_cannot_be_combined_with(settings, group, field, value):
    rules = component("optim", "lbfgs").rules
    assert all(rule.condition(settings(**ALLOWED)) for rule in rules)
    config = settings(**ALLOWED | {group: ALLOWED[group] | {field: value}})
    assert [rule.condition(config) for rule in rules].count(False) == 1
