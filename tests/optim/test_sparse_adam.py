"""SparseAdam trains sparse embeddings and refuses, before any step, what has dense gradients."""

import copy
from functools import partial

import pytest
import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.declarations.source import component
from dltool.optim.optimizer import Optimizer
from dltool.optim.sparse_adam import sparse_adam


def train(module, optimizer, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        module(torch.tensor([0, 2])).square().sum().backward()
        optimizer.step()


def test_changes_the_rows_of_the_batch_alone_and_its_state_round_trips():
    module = nn.Embedding(4, 3, sparse=True)
    before = module.weight.detach().clone()
    optimizer = Optimizer(partial(sparse_adam, lr=0.1)).build("model", module)
    train(module, optimizer, steps=3)
    changed = (module.weight != before).any(dim=1)
    assert changed.tolist() == [True, False, True, False]
    assert module.weight[0].norm() < before[0].norm()

    resumed = copy.deepcopy(module)
    restored = Optimizer(partial(sparse_adam, lr=0.1)).build("model", resumed)
    restored.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    train(module, optimizer, steps=2)
    train(resumed, restored, steps=2)
    assert torch.equal(module.weight, resumed.weight)


@pytest.mark.parametrize("dense", [nn.Linear(3, 2), nn.Embedding(4, 3)])
def test_dense_gradients_are_refused(dense):
    module = nn.Sequential(nn.Embedding(4, 3, sparse=True), dense)
    with pytest.raises(ConfigError, match=r"takes sparse gradients; 1\.weight of Sequential has dense ones"):
        Optimizer(partial(sparse_adam)).build("model", module)


@pytest.mark.parametrize(("clip_norm", "clip_value"), [(1.0, None), (None, 1.0)])
def test_clipping_is_refused(settings, clip_norm, clip_value):
    config = settings(
        trainer={"clip_norm": clip_norm, "clip_value": clip_value, "devices": 1}, optim={"decay_bias_norm": True}
    )
    assert [rule.condition(config) for rule in component("optim", "sparse_adam").rules].count(False) == 1
