from typing import get_args

import pytest
import torch
from torch import nn

from dltool.layers.initialize import initialize
from dltool.models import cnn, lenet, mlp


@pytest.mark.parametrize(
    ("scheme", "variance"),
    [
        ("xavier_uniform", 2 / (300 + 500)),
        ("xavier_normal", 2 / (300 + 500)),
        ("kaiming_uniform", 2 / 300),
        ("kaiming_normal", 2 / 300),
        ("normal", 0.05**2),
        ("default", 1 / (3 * 300)),
        ("zeros", 0.0),
    ],
)
def test_variance_and_biases(scheme, variance):
    torch.manual_seed(0)
    layer = nn.Linear(300, 500)
    initialize(layer, scheme, std=0.05)
    assert layer.weight.var().item() == pytest.approx(variance, rel=0.02)
    assert abs(layer.weight.mean().item()) < 1e-3
    assert (layer.bias.abs().sum().item() == 0) == (scheme != "default")


def test_orthogonal_rows():
    layer = nn.Linear(20, 8)
    initialize(layer, "orthogonal")
    torch.testing.assert_close(layer.weight @ layer.weight.T, torch.eye(8), atol=1e-5, rtol=0)


def test_fan_in_of_a_convolution_counts_its_window():
    torch.manual_seed(0)
    layer = nn.Conv2d(16, 64, 5)
    initialize(layer, "kaiming_normal")
    assert layer.weight.var().item() == pytest.approx(2 / (16 * 25), rel=0.03)


def test_norms_keep_their_ones():
    network = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    initialize(network, "zeros")
    assert network[1].weight.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("literal", [mlp.Init, lenet.Init, cnn.Init])
def test_every_name_that_a_model_offers_exists(literal):
    for name in get_args(literal):
        initialize(nn.Linear(3, 2, bias=False), name)
