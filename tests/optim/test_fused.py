"""The fused kernel is used where it runs, and where it does not the optimizer still works."""

from functools import partial

import pytest
import torch
from torch import nn

from dltool.optim import fused
from dltool.optim.optimizer import Optimizer
from dltool.optim.optimizers import adagrad, adam, adamw, sgd


@pytest.mark.parametrize("factory", [adagrad, adam, adamw, sgd])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_fused_on_the_cpu(factory, dtype):
    module = nn.Linear(2, 2).to(dtype)
    optimizer = Optimizer(partial(factory)).build("model", module)
    assert optimizer.param_groups[0]["fused"] is True


@pytest.mark.parametrize("factory", [adagrad, adam, adamw, sgd])
def test_falls_back_where_there_is_no_kernel(factory):
    module = nn.Module()
    module.weight = nn.Parameter(torch.ones(2, dtype=torch.complex64))  # No fused kernel takes complex numbers.
    optimizer = Optimizer(partial(factory)).build("model", module)
    assert not optimizer.param_groups[0]["fused"]
    before = module.weight.detach().clone()
    module.weight.abs().sum().backward()
    optimizer.step()
    assert not torch.equal(module.weight, before)


def test_one_tensor_without_a_kernel_decides_for_all():
    parameters = [torch.zeros(1, requires_grad=True), torch.zeros(1, dtype=torch.complex64, requires_grad=True)]
    assert fused.fused(torch.optim.Adam, [{"params": parameters[:1]}]) is True
    assert fused.fused(torch.optim.Adam, [{"params": parameters[:1]}, {"params": parameters[1:]}]) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("factory", [adagrad, adam, adamw, sgd])
def test_works_on_cuda(factory):
    module = nn.Linear(2, 2).cuda()
    optimizer = Optimizer(partial(factory)).build("model", module)
    module(torch.ones(1, 2, device="cuda")).sum().backward()
    before = module.weight.detach().clone()
    optimizer.step()
    assert not torch.equal(module.weight, before)
