"""Muon on the filters of convolutions: a hand-written update, torch's on matrices, and a resumed state."""

import copy
from functools import partial

import pytest
import torch
from torch import nn

from dltool.optim.matrix_muon import MatrixMuon
from dltool.optim.muon import muon
from dltool.optim.optimizer import Optimizer

SETTINGS = {
    "lr": 0.1,
    "weight_decay": 0.01,
    "momentum": 0.6,
    "nesterov": True,
    "ns_coefficients": (3.4445, -4.775, 2.0315),
    "eps": 1e-7,
    "ns_steps": 3,
    "adjust_lr_fn": None,
}


def network():
    torch.manual_seed(0)
    convolutions = [nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 4, 2)]
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(16, 5), nn.Linear(5, 2))


def backward(module, seed):
    module.zero_grad()
    images = torch.randn(6, 3, 5, 5, generator=torch.Generator().manual_seed(seed))
    module(images).square().sum().backward()


def by_hand(weight, gradients, *, renormalize):
    """Jordan's update of a filter bank, written out; momentum as a sum, whose scale orthogonalisation takes away."""
    a, b, c = SETTINGS["ns_coefficients"]
    rows, total = len(weight), torch.zeros_like(weight)
    for gradient in gradients:
        total = 0.6 * total + gradient
        x = (gradient + 0.6 * total).reshape(rows, -1)
        x = (x / x.norm()).bfloat16()
        tall = x.shape[0] > x.shape[1]
        x = x.T if tall else x
        for _ in range(3):
            gram = x @ x.T
            x = a * x + (b * gram + c * gram @ gram) @ x
        x = (x.T if tall else x).float()
        if renormalize:
            weight = weight * rows**0.5 / weight.norm()
        scale = max(1, x.shape[0] / x.shape[1]) ** 0.5
        weight = weight * (1 - 0.1 * 0.01) - 0.1 * scale * x.reshape(weight.shape)
    return weight


@pytest.mark.parametrize("renormalize", [False, True])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", [(8, 3, 3, 3), (12, 2, 1, 2)], ids=["wide", "tall"])
def test_equals_an_update_by_hand(shape, layout, renormalize):
    rng = torch.Generator().manual_seed(0)
    start, *gradients = (torch.randn(shape, generator=rng) for _ in range(4))
    weight = nn.Parameter(start.clone().to(memory_format=layout))
    optimizer = MatrixMuon([{"params": [weight]}], renormalize=renormalize, **SETTINGS)
    for gradient in gradients:
        weight.grad = gradient.to(memory_format=layout)
        optimizer.step()
    expected = by_hand(start, gradients, renormalize=renormalize)
    assert (weight - expected).abs().max() < 0.01  # bfloat16 has three digits, of steps of 0.1.
    assert (start - expected).abs().max() > 0.1


def test_a_matrix_is_updated_as_by_torch():
    ours, theirs = (nn.Parameter(torch.randn(6, 4, generator=torch.Generator().manual_seed(1))) for _ in range(2))
    pair = MatrixMuon([{"params": [ours]}], renormalize=False, **SETTINGS), torch.optim.Muon([theirs], **SETTINGS)
    for seed in range(3):
        ours.grad = theirs.grad = torch.randn(6, 4, generator=torch.Generator().manual_seed(seed))
        for optimizer in pair:
            optimizer.step()
    assert torch.equal(ours, theirs)


def test_filters_by_muon_and_all_else_by_sgd_each_at_its_rate():
    ours, theirs = network(), network()
    recipe = partial(muon, lr=0.1, filters=True, other="sgd", sgd_lr=0.01, sgd_weight_decay=0.1)
    optimizer = Optimizer(recipe, lr_factors={"5": 3.0}).build("model", ours)
    names = {parameter: name for name, parameter in ours.named_parameters()}
    rates = {names[p]: group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert {name for name, lr in rates.items() if lr == 0.1} == {"0.weight", "2.weight", "4.weight"}
    assert {name: lr for name, lr in rates.items() if lr != 0.1} == {
        **dict.fromkeys(["0.bias", "1.weight", "1.bias", "2.bias", "4.bias"], 0.01),
        **dict.fromkeys(["5.weight", "5.bias"], pytest.approx(0.03)),
    }
    head = torch.optim.SGD(theirs[5].parameters(), lr=0.03, momentum=0.9, nesterov=True, weight_decay=0.1)
    backward(ours, 0)
    backward(theirs, 0)
    optimizer.step()
    head.step()
    for parameter, expected in zip(ours[5].parameters(), theirs[5].parameters(), strict=True):
        torch.testing.assert_close(parameter, expected)


def test_a_resumed_state_goes_on_to_the_bit():
    recipe = Optimizer(partial(muon, filters=True, renormalize=True, other="sgd"))
    module = network().to(memory_format=torch.channels_last)
    optimizer = recipe.build("model", module)
    backward(module, 0)
    optimizer.step()
    weights, state = copy.deepcopy(module.state_dict()), copy.deepcopy(optimizer.state_dict())
    resumed = network().to(memory_format=torch.channels_last)
    resumed.load_state_dict(weights)
    restored = recipe.build("model", resumed)
    restored.load_state_dict(state)
    for part, its_optimizer in ((module, optimizer), (resumed, restored)):
        backward(part, 1)
        its_optimizer.step()
    for parameter, expected in zip(resumed.parameters(), module.parameters(), strict=True):
        assert torch.equal(parameter, expected)
