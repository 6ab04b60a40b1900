import math
from typing import get_args

import pytest
import torch

from dltool.layers.activation import activation
from dltool.models import cnn, gan, lenet, mlp

POINTS = [-2.0, -0.5, 0.0, 1.5]


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("identity", lambda x: x),
        ("sigmoid", lambda x: 1 / (1 + math.exp(-x))),
        ("tanh", math.tanh),
        ("scaled_tanh", lambda x: 1.7159 * math.tanh(2 * x / 3)),
        ("relu", lambda x: max(x, 0)),
        ("leaky_relu", lambda x: x if x > 0 else 0.2 * x),
        ("elu", lambda x: x if x > 0 else math.exp(x) - 1),
        ("gelu", lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2),
        ("silu", lambda x: x / (1 + math.exp(-x))),
    ],
)
def test_formula(name, formula):
    outputs = activation(name, negative_slope=0.2)(torch.tensor(POINTS))
    torch.testing.assert_close(outputs, torch.tensor([formula(x) for x in POINTS]))


def test_softmax_is_over_the_last_dimension():
    torch.testing.assert_close(activation("softmax")(torch.randn(3, 5)).sum(1), torch.ones(3))


def test_scaled_tanh_keeps_plus_and_minus_one():
    torch.testing.assert_close(
        activation("scaled_tanh")(torch.tensor([1.0, -1.0])), torch.tensor([1.0, -1.0]), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize(
    "literal", [mlp.Activation, mlp.OutputActivation, lenet.Activation, gan.Activation, cnn.Activation]
)
def test_every_name_that_a_model_offers_exists(literal):
    for name in get_args(literal):
        assert activation(name)(torch.randn(2, 3)).shape == (2, 3)
