"""What is read off the layers of a network, which stays as it is."""

import torch
from torch import nn

from dltool.core.spec import DataSpec
from dltool.introspection.layers import feature_maps, first_kernels
from dltool.models.lenet import LeNet, LeNet5
from dltool.models.mlp import MLP

SPEC = DataSpec((3, 32, 34), "classes", tuple("abc"), output_dim=3)


def test_maps_are_those_of_each_layer_with_weights_before_what_follows_changes_them() -> None:
    first, second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 3, bias=False)
    norm = nn.BatchNorm2d(4)
    model = nn.Sequential(first, norm, nn.ReLU(inplace=True), second, nn.AdaptiveAvgPool2d(1), nn.Conv2d(2, 1, 1))
    model.compile(backend="eager")  # What is compiled knows of no hook that comes later.
    image = torch.randn(1, 3, 8, 9)
    model(torch.randn(4, 3, 8, 9))
    before = norm.running_mean.clone()
    maps = feature_maps(model, image)
    assert [(layer.name, layer.kind, tuple(layer.maps.shape)) for layer in maps] == [
        ("0", "Conv2d", (4, 6, 7)),
        ("3", "Conv2d", (2, 4, 5)),
    ]
    assert torch.equal(maps[0].maps, first(image)[0])
    assert maps[0].maps.min() < 0
    assert model.training
    assert torch.equal(norm.running_mean, before)
    assert not any(module._forward_hooks for module in model.modules())


def test_the_layers_of_lenet_1998_are_found_by_what_they_have() -> None:
    maps = feature_maps(LeNet5(SPEC), torch.randn(1, 3, 32, 34))
    assert [layer.name for layer in maps] == ["c1", "c3"]


def test_the_first_kernels_are_those_that_look_at_the_image() -> None:
    image = torch.randn(1, 3, 32, 34)
    lenet, mlp = LeNet(SPEC), MLP(SPEC, hidden=[5])
    of_lenet, of_mlp = first_kernels(lenet, image), first_kernels(mlp, image)
    assert of_lenet is not None
    assert of_mlp is not None
    assert (of_lenet.name, of_lenet.whole) == ("features.0", False)
    assert torch.equal(of_lenet.weights, lenet.features[0].weight)
    assert (of_mlp.name, of_mlp.whole, tuple(of_mlp.weights.shape)) == ("layers.0", True, (5, 3, 32, 34))
    assert torch.equal(of_mlp.weights.flatten(1), mlp.layers[0].weight)
    assert first_kernels(nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(3, 2, 1)), image) is None


def test_fixed_kernels_are_kernels() -> None:
    class Edges(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("weight", torch.tensor([[[[-1.0, 1.0]]]]))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return nn.functional.conv2d(images, self.weight)

    model = nn.Sequential(Edges(), nn.Flatten(), nn.Linear(6, 2))
    found = first_kernels(model, torch.randn(1, 1, 2, 4))
    assert found is not None
    assert found.weights.flatten().tolist() == [-1, 1]
    assert [layer.name for layer in feature_maps(model, torch.randn(1, 1, 2, 4))] == ["0"]


def test_of_kernels_that_differ_by_place_those_in_the_middle_are_seen() -> None:
    class Local(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(9, 2, 1, 3, 3))  # (L, K, C, height, width)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            windows = nn.functional.unfold(images, 3)  # (B, 9, L)
            return torch.einsum("bkl,lok->bol", windows, self.weight.flatten(2)).unflatten(2, (3, 3))

    model = nn.Sequential(Local(), nn.ReLU())
    found = first_kernels(model, torch.randn(1, 1, 5, 5))
    assert found is not None
    assert torch.equal(found.weights, model[0].weight[4])
    assert [tuple(layer.maps.shape) for layer in feature_maps(model, torch.randn(1, 1, 5, 5))] == [(2, 3, 3)]
