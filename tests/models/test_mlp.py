from itertools import pairwise

import pytest
import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.models.linear import Linear
from dltool.models.logistic import Logistic
from dltool.models.mlp import MLP

SPEC = DataSpec((3, 4, 5), "classes", ("a", "b", "c"), output_dim=3)


@pytest.mark.parametrize("hidden", [[], [7], [7, 5, 6]])
@pytest.mark.parametrize("shape", [(3, 4, 5), (2,)])
def test_shape_and_parameters_at_any_depth(hidden, shape):
    spec = DataSpec(shape, output_dim=3)
    model = MLP(spec, hidden=hidden)
    assert model(torch.randn(6, *shape)).shape == (6, 3)
    widths = [spec.input_dim, *hidden, 3]
    expected = sum((a + 1) * b for a, b in pairwise(widths))
    assert sum(parameter.numel() for parameter in model.parameters()) == expected


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_depth_repeats_one_width(depth):
    torch.manual_seed(0)
    short = MLP(SPEC, hidden=[7], depth=depth, norm="layer").state_dict()
    torch.manual_seed(0)
    listed = MLP(SPEC, hidden=[7] * depth, norm="layer").state_dict()
    assert list(short) == list(listed)
    assert all(torch.equal(short[name], listed[name]) for name in listed)


@pytest.mark.parametrize("hidden", ["[]", "[7,5]"])
def test_depth_needs_one_width(hidden, configure):
    with pytest.raises(ConfigError, match=r"model\.depth=2 repeats one width, and model\.hidden=.* is not one width"):
        configure("model=mlp", f"model.hidden={hidden}", "model.depth=2")


def test_softmax_output():
    outputs = MLP(SPEC, output_activation="softmax")(torch.randn(6, 3, 4, 5))
    torch.testing.assert_close(outputs.sum(1), torch.ones(6))


def test_dropout_acts_in_training_only():
    model = MLP(SPEC, hidden=[64], dropout=0.9)
    inputs = torch.randn(6, 3, 4, 5)
    assert not torch.equal(model(inputs), model(inputs))
    model.eval()
    assert torch.equal(model(inputs), model(inputs))


def test_zero_weights_never_break_the_symmetry():
    model = MLP(SPEC, hidden=[8], init="zeros", activation="tanh")
    nn.functional.cross_entropy(model(torch.randn(6, 3, 4, 5)), torch.tensor([0, 1, 2, 0, 1, 1])).backward()
    assert model.layers[0].weight.grad.abs().max() == 0


@pytest.mark.parametrize("model_class", [Linear, Logistic])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_models_are_a_weighted_sum_from_zero(model_class, bias):
    model = model_class(SPEC, bias=bias)
    inputs = torch.randn(6, 3, 4, 5)
    assert model(inputs).abs().max() == 0
    with torch.no_grad():
        model.linear.weight.copy_(torch.arange(180.0).view(3, 60))
    torch.testing.assert_close(model(inputs), inputs.reshape(6, 60) @ torch.arange(180.0).view(3, 60).T)
