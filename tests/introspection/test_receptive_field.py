"""Receptive fields against the literature, and against which pixels really reach a unit."""

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

from dltool.core.spec import DataSpec
from dltool.introspection.receptive_field import receptive_fields


@pytest.mark.parametrize(
    ("arch", "layer", "size", "jump"),
    [  # Of AlexNet and VGG-16 as in Araujo et al. (2019), table 1; of the others by hand.
        ("alexnet", "features.12", "195×195", "32"),
        ("vgg16", "features.30", "212×212", "32"),
        ("resnet18", "layer4", "435×435", "32"),
        ("resnet50", "layer1", "35×35", "4"),
        ("convnext_tiny", "features.1.1.block", "52×52", "4"),
    ],
)
def test_as_published(arch: str, layer: str, size: str, jump: str) -> None:
    with torch.device("meta"):
        model = getattr(torchvision.models, arch)(weights=None)
    field = receptive_fields(model, DataSpec((3, 224, 224)))[layer]
    assert (field.size, field.jump) == (size, jump)


class Odd(nn.Module):
    """Branches, dilation, padding, what is functional, and what has another kernel across than down."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, (3, 5), padding=(1, 2))
        self.norm = nn.BatchNorm2d(4)
        self.wide = nn.Conv2d(4, 8, 3, stride=2, padding=2, dilation=2, groups=2)
        self.pool = nn.MaxPool2d(3, stride=1, padding=1)
        self.joined = nn.Identity()
        self.lrn = nn.LocalResponseNorm(3)
        self.local = Local(8, 3)
        self.last = nn.AvgPool2d(2)

    def forward(self, images: Tensor) -> Tensor:
        x = F.relu(self.norm(self.first(images)), inplace=True)
        shortcut = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 4))  # (B, 8, H / 2, W / 2), option A of a ResNet.
        x = self.joined(self.pool(self.wide(x)) + shortcut)
        return self.last(self.local(self.lrn(x))).flatten(1)


class Local(nn.Module):
    """A locally connected layer: no neighbour of a convolution that could be followed."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel, 1, 0
        self.weight = nn.Parameter(torch.randn(6 * 5, channels * kernel**2, channels))

    def forward(self, maps: Tensor) -> Tensor:
        windows = F.unfold(maps, self.kernel_size).permute(2, 0, 1)  # (L, B, C * k * k)
        return torch.bmm(windows, self.weight).permute(1, 2, 0).unflatten(2, (6, 5))


def reached_by(model: nn.Module, layer: str, height: int, width: int) -> tuple[list[tuple[int, int]], ...]:
    """First and last row, then column, of the image from which NaN comes to each row, then column, of a layer."""
    images = torch.zeros(height + width, 1, height, width)
    for row in range(height):
        images[row, :, row] = torch.nan
    for column in range(width):
        images[height + column, :, :, column] = torch.nan
    seen: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(lambda _m, _i, output: seen.append(output.detach()))
    model(images)
    handle.remove()
    bad = seen[0].isnan().any(1)  # (H + W, H', W')
    reached = bad[:height].any(2), bad[height:].any(1)  # (H, H'), (W, W')
    return tuple([(int(r.nonzero().min()), int(r.nonzero().max())) for r in half.T] for half in reached)


@pytest.mark.parametrize("layer", ["first", "wide", "pool", "joined", "lrn", "local", "last"])
def test_exactly_those_pixels_reach_a_unit(layer: str) -> None:
    """Which is tried out: a pixel that is NaN makes every unit NaN that sees it."""
    model, (height, width) = Odd().eval(), (16, 14)
    field = receptive_fields(model, DataSpec((1, height, width)))[layer]
    assert field.axes is not None
    for axis, length, reached in zip(field.axes, (height, width), reached_by(model, layer, height, width), strict=True):
        starts = [axis.start + axis.jump * unit for unit in range(len(reached))]
        assert reached == [(max(start, 0), min(start + axis.size, length) - 1) for start in starts]


def test_a_model_of_another_kind_sees_all_or_nothing() -> None:
    model = nn.Sequential(nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 1, 2), nn.Flatten())
    assert receptive_fields(model, DataSpec((4,))) == {}
    squeezed = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Conv2d(2, 2, 1))
    sizes = [field.size for field in receptive_fields(squeezed, DataSpec((1, 8, 8))).values()]
    assert sizes == ["3×3", "all", "all"]
    assert squeezed.training
