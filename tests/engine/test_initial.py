"""Initial weights given number by number: which parameter gets which, and what does not fit."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.config.renamed import completed_tree
from dltool.core.errors import ConfigError
from dltool.engine.initial import set_initial

MLP = ("model=mlp", "model.hidden=[1]", "data=example", "data.inputs=[[1,2]]", "data.targets=[[3]]")


def test_parameters_in_the_order_of_the_state_dict_without_buffers() -> None:
    model = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1), nn.Conv1d(1, 1, 2, bias=False))
    set_initial(model, [[[1, 2]], [3], [4], [5], [[[6, 7.5]]]])
    assert [parameter.flatten().tolist() for parameter in model.parameters()] == [[1, 2], [3], [4], [5], [6, 7.5]]
    assert model[1].running_var.tolist() == [1]


def test_a_shared_parameter_counts_once_and_a_single_number_is_no_list() -> None:
    model = nn.Linear(1, 1)
    model.twin, model.scale = nn.Linear(1, 1), nn.Parameter(torch.zeros(()))
    model.twin.weight = model.weight
    assert list(dict(model.named_parameters())) == ["weight", "bias", "scale", "twin.bias"]
    set_initial(model, [[[2.0]], [1], 0.1, [3]])
    assert [parameter.item() for parameter in model.parameters()] == pytest.approx([2, 1, 0.1, 3])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[[1, 2]]], "model.initial ends before the parameter bias, of shape 1"),
        ([[[1, 2]], [3], [4]], "model.initial has 3 values for 2 parameters"),
        ([[1, 2], [3]], "model.initial[0] has the shape 2, but the parameter weight has 1×2"),
        ([[[1, 2]], 3], "model.initial[1] has the shape (), but the parameter bias has 1"),
        ([[[1], [2, 3]], [3]], "model.initial[0] has lists of different lengths, but the parameter weight has 1×2"),
    ],
)
def test_what_does_not_fit(values: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        set_initial(nn.Linear(2, 1), values)
    assert error.value.message == message
    assert error.value.hint == "the parameters are weight 1×2, bias 1"


def test_a_training_begins_with_them(configure: Callable[..., Config]) -> None:
    task = prepare(configure(*MLP, "model.initial=[[[.1,.2]],[.3],[[.4]],[.5]]")).task
    assert [p.flatten().tolist() for p in task.model.parameters()] == [
        torch.tensor(numbers).tolist() for numbers in ([0.1, 0.2], [0.3], [0.4], [0.5])
    ]


def test_two_sources_of_initial_weights(configure: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError, match=r"model\.initial=\[…\] and init_from=run both choose the initial weights"):
        prepare(configure(*MLP, "model.initial=[[[1,2]],[3],[[4]],[5]]", "init_from=run"))


@pytest.mark.parametrize("value", ["3", "[[a]]", "[[.nan]]", "[true]"])
def test_only_numbers(value: str, configure: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError, match=r"nested lists of numbers"):
        configure(*MLP, f"model.initial={value}")


def test_an_old_config_of_any_model_lacks_the_key() -> None:
    for name in ("mlp", "lenet", "mine"):
        assert completed_tree({"model": {"name": name}})["model"]["initial"] is None
    assert completed_tree({"model": {"name": "mlp"}})["model"] == {"name": "mlp", "initial": None, "depth": None}
