from typing import get_args

import pytest
import torch
from torch import nn

from dltool.build.prepare import prepare
from dltool.core.errors import ConfigError, DataError
from dltool.core.spec import DataSpec
from dltool.models.alexnet import AlexNet, AlexNetSmall, AlexNetTorchvision, Layer, Layer2012, LayerSmall

IMAGENET = tuple(map(str, range(1000)))


def spec(side, channels=3, num_classes=1000):
    return DataSpec((channels, side, side), "classes", IMAGENET[:num_classes], output_dim=num_classes)


def on_meta(model_class, side, **options):
    """A model without memory: shapes and counts alone."""
    with torch.device("meta"):
        return model_class(spec(side), **options)


def num_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameters_of_2012():
    model = on_meta(AlexNet, 227)
    layers = {**dict(model.features.named_children()), **dict(model.classifier.named_children())}
    counts = {name: num_parameters(layer) for name, layer in layers.items() if num_parameters(layer)}
    assert counts == {
        "conv1": 96 * (3 * 121 + 1),
        "conv2": 256 * (48 * 25 + 1),
        "conv3": 384 * (256 * 9 + 1),
        "conv4": 384 * (192 * 9 + 1),
        "conv5": 256 * (192 * 9 + 1),
        "fc6": 4096 * (6 * 6 * 256 + 1),
        "fc7": 4096 * (4096 + 1),
        "fc8": 1000 * (4096 + 1),
    }
    assert num_parameters(model) == 60_965_224
    # Section 3.5; the paper's first number is 253,440, which is no multiple of its own 55×55.
    units = {}
    for name, layer in layers.items():
        layer.register_forward_hook(lambda _, __, output, name=name: units.update({name: output[0].numel()}))
    model(torch.empty(1, 3, 227, 227, device="meta"))
    assert [units[f"conv{i}"] for i in range(1, 6)] == [290_400, 186_624, 64_896, 64_896, 43_264]


def test_groups_see_their_own_half():
    model = AlexNet(spec(227, num_classes=2), without=["fc6", "fc7"])
    maps = torch.randn(1, 96, 9, 9)
    changed = maps.clone()
    changed[:, 48:] += 1
    difference = model.features.conv2(changed) - model.features.conv2(maps)
    assert difference[:, :128].abs().max() < 1e-4
    assert difference[:, 128:].abs().max() > 1e-3
    assert [model.features.get_submodule(f"conv{i}").groups for i in range(1, 6)] == [1, 2, 1, 2, 2]


def test_response_normalisation_is_the_paper_s_formula():
    layer = on_meta(AlexNet, 227).features.norm1
    maps = 40 * torch.rand(2, 96, 2, 3)  # Large, so that the sum tells.
    expected = torch.empty_like(maps)
    k, n, alpha, beta = 2, 5, 1e-4, 0.75
    for i in range(96):
        neighbours = maps[:, max(0, i - n // 2) : min(96 - 1, i + n // 2) + 1]
        expected[:, i] = maps[:, i] / (k + alpha * (neighbours**2).sum(1)) ** beta
    torch.testing.assert_close(layer(maps), expected)


def test_initial_weights_of_2012():
    torch.manual_seed(0)
    model = AlexNet(spec(227, num_classes=10), without=["conv3", "fc6"])
    biases = {"conv1": 0, "conv2": 1, "conv4": 1, "conv5": 1, "fc7": 1, "fc8": 0}
    for part in (model.features, model.classifier):
        for name, layer in part.named_children():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                assert layer.bias.unique().tolist() == [biases.pop(name)]
                assert layer.weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert not biases


def test_torchvision_s_state_fits_and_gives_its_outputs():
    torchvision = pytest.importorskip("torchvision")
    theirs = torchvision.models.alexnet(weights=None).eval()
    ours = on_meta(AlexNetTorchvision, 224).eval()
    assert num_parameters(ours) == num_parameters(theirs) == 61_100_840
    ours.load_state_dict(theirs.state_dict(), assign=True)
    for side in (224, 63):
        images = torch.randn(1, 3, side, side)
        with torch.no_grad():
            torch.testing.assert_close(ours(images), theirs(images), atol=1e-5, rtol=0)


def test_without_a_layer_torchvision_s_other_names_stay():
    whole = on_meta(AlexNetTorchvision, 224)
    part = on_meta(AlexNetTorchvision, 224, without=["conv3", "pool5", "fc7"])
    missing = {name for name in whole.state_dict() if name not in part.state_dict()}
    assert missing == {f"{layer}.{kind}" for layer in ("features.6", "classifier.4") for kind in ("weight", "bias")}
    assert part.state_dict().keys() <= whole.state_dict().keys()


@pytest.mark.parametrize(
    ("model_class", "literal", "side"),
    [(AlexNet, Layer2012, 227), (AlexNetTorchvision, Layer, 224), (AlexNetSmall, LayerSmall, 32)],
)
def test_any_layer_can_be_left_out(model_class, literal, side):
    names = get_args(literal)
    whole = len(list(on_meta(model_class, side).modules()))
    for without in [*([name] for name in names), ["conv3", "conv4"], ["pool1", "conv1"]]:
        model = on_meta(model_class, side, without=without)
        assert model(torch.empty(2, 3, side, side, device="meta")).shape == (2, 1000)
        gone = [{"conv": 2, "norm": 1, "pool": 1, "fc": 3}[name.rstrip("0123456789")] for name in without]
        assert len(list(model.modules())) == whole - sum(gone)


def test_the_small_form():
    model = AlexNetSmall(spec(32, num_classes=10))
    assert num_parameters(model) == 2_472_266
    assert model(torch.randn(2, 3, 32, 32)).shape == (2, 10)
    wide = AlexNetSmall(DataSpec((1, 64, 40), "classes", IMAGENET[:3], output_dim=3))
    assert wide(torch.randn(2, 1, 64, 40)).shape == (2, 3)


def test_dropout_acts_in_training_only():
    model = AlexNet(spec(227, channels=1, num_classes=3), without=["fc6", "conv2", "conv3", "conv4"])
    images = torch.randn(1, 1, 227, 227)
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))


def test_a_layer_that_is_none(configure):
    with pytest.raises(ConfigError, match="conv33") as error:
        configure("model=alexnet", "model.without=[conv33]")
    assert "conv3" in error.value.hint


def test_small_grey_images_without_a_resize(configure):
    with pytest.raises(DataError, match="smaller than 227×227") as error:
        prepare(configure("model=alexnet", "data.resize=null"))
    assert "data.resize=auto" in error.value.hint
