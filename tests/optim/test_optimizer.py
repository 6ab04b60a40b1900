"""Parameter groups, role overrides and their errors."""

from functools import partial

import pytest
import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.optim.lbfgs import lbfgs
from dltool.optim.muon import muon
from dltool.optim.optimizer import Optimizer, describe_factors
from dltool.optim.optimizers import adam, adamw, sgd


@pytest.fixture
def module():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 2))


def test_one_group_where_everything_is_decayed(module):
    (group,) = Optimizer(partial(adamw, weight_decay=0.1)).build("model", module).param_groups
    assert len(group["params"]) == 6
    assert group["weight_decay"] == 0.1


def test_biases_and_norms_are_not_decayed(module):
    decay = 0.5
    optimizer = Optimizer(partial(sgd, lr=0.1, weight_decay=decay), decay_bias_norm=False).build("model", module)
    before = [parameter.detach().clone() for parameter in module.parameters()]
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    shrunk = [not torch.equal(p, b) for p, b in zip(module.parameters(), before, strict=True) if b.any()]
    matrices = [b.ndim >= 2 for b in before if b.any()]
    assert shrunk == matrices
    assert {id(p) for group in optimizer.param_groups for p in group["params"]} == {id(p) for p in module.parameters()}


def test_no_decay_to_keep_off_is_an_error(module):
    with pytest.raises(ConfigError, match=r"optim\.decay_bias_norm=false: lbfgs has no weight decay"):
        Optimizer(partial(lbfgs), decay_bias_norm=False).build("model", module)


def test_frozen_parameters_are_left_out(module):
    module[0].requires_grad_(False)
    (group,) = Optimizer(partial(adam)).build("model", module).param_groups
    assert [id(p) for p in group["params"]] == [id(p) for p in module.parameters() if p.requires_grad]


@pytest.mark.parametrize("frozen", [nn.Linear(2, 2).requires_grad_(False), nn.ReLU()])
def test_nothing_to_train(frozen):
    with pytest.raises(ConfigError, match="the role 'critic' has no trainable parameter for optim=adam"):
        Optimizer(partial(adam)).build("critic", frozen)


def test_roles_override_fields_of_one_role(module):
    optim = Optimizer(partial(adam, lr=1e-4), roles={"discriminator": {"lr": 4e-4, "betas": [0, 0.9]}})
    assert optim.build("generator", module).param_groups[0]["lr"] == 1e-4
    group = optim.build("discriminator", module).param_groups[0]
    assert (group["lr"], group["initial_lr"], group["betas"]) == (4e-4, 4e-4, (0.0, 0.9))


def test_lists_and_integers_of_a_yaml_are_taken(module):
    (group,) = Optimizer(partial(adam, lr=1, betas=[0, 0.9])).build("model", module).param_groups
    assert group["betas"] == (0.0, 0.9)


def test_unknown_field_of_a_role(module):
    optim = Optimizer(partial(adam), roles={"discriminator": {"beta": 0.5}})
    with pytest.raises(ConfigError, match=r"optim\.roles\.discriminator\.beta: adam has no beta") as error:
        optim.build("discriminator", module)
    assert error.value.hint == "did you mean optim.roles.discriminator.betas?"


def test_unknown_role():
    optim = Optimizer(partial(adam), roles={"discriminater": {"lr": 4e-4}})
    with pytest.raises(ConfigError, match="the task has no role 'discriminater'") as error:
        optim.check_roles(["generator", "discriminator"])
    assert error.value.hint == "did you mean optim.roles.discriminator?"
    Optimizer(partial(adam), roles={"generator": {"lr": 1e-3}}).check_roles(["generator", "discriminator"])


@pytest.mark.parametrize("fields", [{"lr": -1.0}, {"betas": [0.5, 1.5]}, {"lr": [1.0]}])
def test_a_value_that_torch_refuses_names_the_role(module, fields):
    with pytest.raises(ConfigError, match="optim=adam cannot be built for the role 'discriminator'"):
        Optimizer(partial(adam), roles={"discriminator": fields}).build("discriminator", module)


def test_a_factor_is_that_of_a_step(module):
    optimizer = Optimizer(partial(sgd, lr=0.5), lr_factors={"0": 0.1, "[03].weight": 4.0}).build("model", module)
    before = [parameter.detach().clone() for parameter in module.parameters()]
    for parameter in module.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    moved = {n: float((b - p).detach().mean()) for (n, p), b in zip(module.named_parameters(), before, strict=True)}
    factors = {"0.weight": 0.1, "0.bias": 0.1, "1.weight": 1, "1.bias": 1, "3.weight": 4, "3.bias": 1}
    assert moved == pytest.approx({name: 0.5 * factor for name, factor in factors.items()})


def test_rates_and_decay_and_roles_go_together(module):
    recipe = Optimizer(
        partial(adamw, lr=0.5), decay_bias_norm=False, roles={"critic": {"lr": 2.0}}, lr_factors={"0": 0.1}
    )
    groups = recipe.build("critic", module).param_groups
    found = [(g["lr"], g["initial_lr"], g["weight_decay"], [p.ndim for p in g["params"]]) for g in groups]
    assert found == [
        *[(2.0, 2.0, 0.01, [2]), (2.0, 2.0, 0.0, [1, 1, 1])],
        *[(0.2, 0.2, 0.01, [4]), (0.2, 0.2, 0.0, [1])],
    ]


def test_both_of_muons_rates_have_the_factor():
    module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2))
    optimizer = Optimizer(partial(muon, lr=0.02, adamw_lr=0.004), lr_factors={"0": 0.5}).build("model", module)
    rates = {id(p): group["initial_lr"] for group in optimizer.param_groups for p in group["params"]}
    found = [rates[id(parameter)] for parameter in module.parameters()]
    assert found == [0.01, 0.002, 0.02, 0.004, 0.004, 0.004]


def test_names_are_those_of_the_whole_model(module):
    model = nn.ModuleDict({"critic": module, "actor": nn.Linear(2, 2)})
    recipe = Optimizer(partial(sgd, lr=1.0), lr_factors={"actor": 0.1})
    optimizers = [recipe.build(role, model[role], model) for role in ("critic", "actor")]
    assert [group["lr"] for optimizer in optimizers for group in optimizer.param_groups] == [1.0, 0.1]
    assert describe_factors({"actor": 0.1}, optimizers) == "0.1 × optim.lr for actor (6 parameters)"


def test_a_pattern_that_fits_nothing(module):
    with pytest.raises(ConfigError, match=r"optim\.lr_factors: no parameter .* matches 'conv\*'; .* are 0, 1, 3"):
        Optimizer(partial(sgd), lr_factors={"conv*": 0.1}).build("model", module)


def test_all_frozen_is_hinted_at(module):
    with pytest.raises(ConfigError) as error:
        Optimizer(partial(adam)).build("model", module.requires_grad_(False))
    assert error.value.hint == "all are frozen; 'model.freeze=[]' trains all of them"
