"""Which parameters Muon gets, and that two optimizers act as one."""

import copy
from functools import partial

import pytest
import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.optim.muon import muon
from dltool.optim.optimizer import Optimizer
from dltool.optim.schedule import Schedule
from dltool.optim.schedules import cosine, one_cycle


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(5, 4)
        self.convolution = nn.Conv1d(4, 4, 1)
        self.norm = nn.LayerNorm(4)
        self.hidden = nn.Linear(4, 4)
        self.head = nn.Linear(4, 5)

    def forward(self, x):
        return self.head(self.hidden(self.norm(self.convolution(self.embedding(x).mT).mT)))


def names(module, group):
    ids = {id(p) for p in group["params"]}
    return {name for name, p in module.named_parameters() if id(p) in ids}


def take_step(module, optimizer):
    optimizer.zero_grad()
    module(torch.arange(5)[None]).square().mean().backward()
    optimizer.step()


def test_muon_gets_the_hidden_matrices_alone():
    module = Network()
    hidden, rest = Optimizer(partial(muon, lr=0.02, adamw_lr=3e-4)).build("model", module).param_groups
    assert names(module, hidden) == {"hidden.weight"}
    assert names(module, rest) == {name for name, _ in module.named_parameters()} - {"hidden.weight"}
    assert (hidden["lr"], rest["lr"]) == (hidden["initial_lr"], rest["initial_lr"]) == (0.02, 3e-4)


def test_equals_the_two_optimizers_of_torch():
    ours, theirs = Network(), Network()
    optimizer = Optimizer(partial(muon, lr=0.02)).build("model", ours)
    others = [p for name, p in theirs.named_parameters() if name != "hidden.weight"]
    pair = [torch.optim.Muon([theirs.hidden.weight], lr=0.02), torch.optim.AdamW(others, fused=True)]
    for _ in range(4):
        take_step(ours, optimizer)
        theirs.zero_grad()
        theirs(torch.arange(5)[None]).square().mean().backward()
        for part in pair:
            part.step()
    for parameter, expected in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(parameter, expected)


def test_state_round_trip_with_undecayed_biases_is_bitwise():
    module = Network()
    optim = Optimizer(partial(muon), decay_bias_norm=False)
    optimizer = optim.build("model", module)
    take_step(module, optimizer)
    weights, state = copy.deepcopy(module.state_dict()), copy.deepcopy(optimizer.state_dict())
    assert len(state["state"]) == len(list(module.parameters()))
    assert [group["weight_decay"] for group in state["param_groups"]] == [0.1, 0.01, 0.0]
    resumed = Network()
    resumed.load_state_dict(weights)
    restored = optim.build("model", resumed)
    restored.load_state_dict(state)
    for part, other in ((module, optimizer), (resumed, restored)):
        take_step(part, other)
    for parameter, expected in zip(resumed.parameters(), module.parameters(), strict=True):
        assert torch.equal(parameter, expected)


def test_a_schedule_reaches_both_parts_also_after_loading():
    module = Network()
    optimizer = Optimizer(partial(muon)).build("model", module)
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    Schedule(partial(cosine)).apply(optimizer, 5, 0, 10, None)
    assert [part.param_groups[0]["lr"] for part in optimizer.parts] == pytest.approx([5e-4, 5e-4])
    Schedule(partial(one_cycle)).apply(optimizer, 0, 0, 10, None)
    muon_group, adamw_group = (part.param_groups[0] for part in optimizer.parts)
    assert muon_group["momentum"] == 0.95
    assert adamw_group["betas"] == (0.95, 0.999)


def test_a_frozen_head_leaves_nothing_to_adamw():
    module = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    module[1].requires_grad_(False)
    (group,) = Optimizer(partial(muon)).build("model", module).param_groups
    assert names(module, group) == {"0.weight"}


def test_a_network_without_a_hidden_matrix():
    with pytest.raises(ConfigError, match="muon is for linear layers before the last one, and Linear has none"):
        Optimizer(partial(muon)).build("model", nn.Linear(3, 2))


def test_gradient_scaling_skips_the_step_of_both_parts():
    module = Network()
    optimizer = Optimizer(partial(muon)).build("model", module)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    before = copy.deepcopy(module.state_dict())
    scaler.scale(module(torch.arange(5)[None]).sum() * float("inf")).backward()
    scaler.step(optimizer)
    scaler.update()
    assert scaler.get_scale() == 2.0
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
