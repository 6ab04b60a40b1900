import math

import pytest
import torch
import torch.nn.functional as F

from dltool.layers.equalized import EqualizedConv2d, EqualizedLinear, ScaledLeakyReLU, normalized


def test_a_linear_map_scales_its_weights_by_what_it_sees():
    layer = EqualizedLinear(400, 300)
    assert layer.weight.std().item() == pytest.approx(1, abs=0.02)
    inputs = torch.randn(200, 400)
    torch.testing.assert_close(layer(inputs), F.linear(inputs, layer.weight / 20))
    assert layer(inputs).std().item() == pytest.approx(1, abs=0.02)


def test_a_convolution_too():
    layer = EqualizedConv2d(16, 64, 3, padding=1)
    inputs = torch.randn(8, 16, 12, 12)
    torch.testing.assert_close(layer(inputs), F.conv2d(inputs, layer.weight / 12, layer.bias, padding=1))
    assert layer(inputs)[:, :, 1:-1, 1:-1].std().item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("multiplier", [1.0, 0.01])
def test_a_step_of_adam_moves_the_map_by_the_multiplier(multiplier):
    """Whatever the gradient, Adam's first step is the learning rate in each weight; the map begins the same."""
    layer = EqualizedLinear(100, 50, bias=0.5, lr_multiplier=multiplier)
    eye = torch.eye(100)
    assert layer(torch.zeros(1, 100)).mean().item() == pytest.approx(0.5)
    assert layer(eye).std().item() == pytest.approx(0.1, rel=0.1)
    before = layer(eye).detach()
    layer(eye).sum().backward()
    torch.optim.Adam(layer.parameters(), lr=0.002).step()
    moved = (before - layer(eye)).mean().item()
    assert moved == pytest.approx(multiplier * (0.002 / math.sqrt(100) + 0.002), rel=1e-2)


def test_the_activation_keeps_the_mean_square():
    assert ScaledLeakyReLU()(torch.randn(100_000)).square().mean().item() == pytest.approx(1.04, abs=0.02)


def test_normalized_vectors_have_a_mean_square_of_one():
    vectors = normalized(torch.tensor([[3.0, 4.0], [0.03, -0.04]]))
    torch.testing.assert_close(vectors.square().mean(dim=1), torch.ones(2), atol=1e-4, rtol=0)
    assert vectors[0, 0].item() == pytest.approx(0.6 * math.sqrt(2))
