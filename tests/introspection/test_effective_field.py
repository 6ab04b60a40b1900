"""The effective receptive field of stacks of convolutions is what theory says, and looking at it changes nothing."""

import itertools

import pytest
import torch
from torch import Tensor, nn

from dltool.introspection.effective_field import effective_fields


def stack(depth: int, channels: int = 24) -> nn.Sequential:
    """3×3 convolutions with random weights, and rectifiers."""
    torch.manual_seed(depth)
    widths = [1, *[channels] * depth]
    pairs = itertools.pairwise(widths)
    return nn.Sequential(*[nn.Sequential(nn.Conv2d(a, b, 3, padding=1, bias=False), nn.ReLU()) for a, b in pairs])


def spread(weight: Tensor) -> float:
    """The standard deviation of the gradient's square along the rows, in pixels."""
    shares = weight.square().sum(0) / weight.square().sum()
    places = torch.arange(len(shares), dtype=torch.float32)
    mean = (shares * places).sum()
    return float((shares * (places - mean).square()).sum().sqrt())


def test_the_centre_weighs_most_and_the_rest_falls_off_like_a_gaussian() -> None:
    """The variance of the gradient is that of a sum of `depth` steps of -1, 0 or 1 pixel: 2/3 · depth."""
    images = torch.randn(32, 1, 33, 33, generator=torch.Generator().manual_seed(0))
    for depth in (4, 10):
        ((weight, unit),) = effective_fields(stack(depth), [f"{depth - 1}"], images).values()
        assert unit == (16, 16)
        reach = slice(16 - depth, 17 + depth)
        assert weight.sum() == pytest.approx(float(weight[reach, reach].sum()))
        assert weight.max() == 1
        middle, edge = weight[15:18, 15:18].mean(), weight[16 - depth, reach].mean()
        assert middle > 0.6
        assert edge < 0.2
        assert spread(weight) == pytest.approx((2 / 3 * depth) ** 0.5, rel=0.1)
        gaussian = torch.exp(-((torch.arange(33) - 16) ** 2) / (2 * 2 * 2 / 3 * depth))  # Of the root of the square.
        profile = weight.square().mean(0).sqrt()
        assert torch.corrcoef(torch.stack([profile, gaussian]))[0, 1] > 0.99


def test_it_grows_with_the_root_of_the_depth_only() -> None:
    images = torch.randn(16, 1, 33, 33, generator=torch.Generator().manual_seed(0))
    small, large = (next(iter(effective_fields(stack(d), [f"{d - 1}"], images).values())).size for d in (4, 12))
    assert large / small < 0.75 * 25 / 9  # The theoretical fields are 9×9 and 25×25.
    assert large > small


def test_nothing_of_the_model_changes() -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.Conv2d(3, 2, 3))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        fields = effective_fields(model, ["0", "3"], torch.randn(4, 2, 9, 8))
    assert [tuple(field.weight.shape) for field in fields.values()] == [(9, 8), (9, 8)]
    assert fields["0"].weight.count_nonzero() == 9
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())
