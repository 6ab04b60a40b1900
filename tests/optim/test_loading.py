"""What torch's load_state_dict would get wrong. NAdam's part is in test_optimizers.py, with float64."""

import copy
from functools import partial

import pytest
import torch
from torch import nn

from dltool.optim.optimizer import Optimizer
from dltool.optim.optimizers import adagrad, adam, sgd


def test_a_checkpoint_does_not_bring_the_kernels_of_its_device():
    module = nn.Linear(3, 2)
    plain = torch.optim.SGD(copy.deepcopy(module).parameters(), lr=0.1, momentum=0.9, foreach=True)
    optimizer = Optimizer(partial(sgd, lr=0.1, momentum=0.9)).build("model", module)
    optimizer.load_state_dict(plain.state_dict())
    (group,) = optimizer.param_groups
    assert group["fused"] is True
    assert group["foreach"] is None


@pytest.mark.parametrize("factory", [partial(adam), partial(adagrad), partial(sgd, momentum=0.9)])
def test_contiguous_state_of_a_channels_last_network_continues_bitwise(factory):
    def take_steps(module, optimizer):
        for _ in range(2):
            optimizer.zero_grad()
            module(torch.linspace(-1, 1, 96).reshape(2, 3, 4, 4)).square().sum().backward()
            optimizer.step()

    torch.manual_seed(0)
    module = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    optimizer = Optimizer(factory).build("model", module)
    take_steps(module, optimizer)

    resumed = copy.deepcopy(module)
    restored = Optimizer(factory).build("model", resumed)
    state = copy.deepcopy(optimizer.state_dict())
    for values in state["state"].values():
        values.update({name: value.contiguous() for name, value in values.items()})
    restored.load_state_dict(state)

    take_steps(module, optimizer)
    take_steps(resumed, restored)
    assert module.weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(resumed.weight, module.weight)
