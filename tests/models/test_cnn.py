import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.layers.locally_connected import LocallyConnected
from dltool.models.cnn import CNN

GREY = DataSpec((1, 8, 8), "classes", tuple("abcde"), output_dim=5)
RGB = DataSpec((3, 32, 20), "classes", tuple("ab"), output_dim=2)


def num_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def kinds(module):
    return [type(layer).__name__ for layer in module]


def test_the_pattern_and_its_order():
    model = CNN(
        RGB,
        channels=[4, 6],
        convolutions=[2, 1],
        norm="batch",
        pooling=["max", None],
        stage_dropout=[0.1, 0.0],
        hidden=[7],
        dropout=0.5,
    )
    stage = ["Conv2d", "BatchNorm2d", "ReLU"]
    assert kinds(model.features.stage1) == [*stage, *stage, "MaxPool2d", "Dropout"]
    assert kinds(model.features.stage2) == stage
    assert kinds(model.classifier) == ["Linear", "BatchNorm", "ReLU", "Dropout", "Linear"]
    assert model.classifier[0].in_features == 6 * 16 * 10
    assert model(torch.randn(3, 3, 32, 20)).shape == (3, 2)


def test_computes_what_torch_s_functions_compute():
    model = CNN(GREY, channels=[3, 4], kernel=[3, 2], stride=[2, 1], padding=[1, 0], pooling=[None, "average"])
    images = torch.randn(2, 1, 8, 8)
    first, second = model.features.stage1.conv1, model.features.stage2.conv1
    maps = F.relu(F.conv2d(images, first.weight, first.bias, stride=2, padding=1))
    maps = F.avg_pool2d(F.relu(F.conv2d(maps, second.weight, second.bias)), 2)
    units = F.relu(F.linear(maps.flatten(1), model.classifier[0].weight, model.classifier[0].bias))
    torch.testing.assert_close(model(images), model.classifier[2](units))


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("connection", ["shared", "local"])
def test_same_keeps_the_size(kernel, dilation, connection):
    model = CNN(GREY, channels=[2], kernel=kernel, dilation=dilation, pooling=None, hidden=[], connection=connection)
    assert model.features(torch.randn(1, 1, 8, 8)).shape == (1, 2, 8, 8)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_same_pads_as_torch_s_own():
    model = CNN(GREY, channels=[2], kernel=4, pooling=None, activation="identity")
    layer, images = model.features.stage1.conv1, torch.randn(2, 1, 8, 8)
    expected = F.conv2d(images, layer.weight, layer.bias, padding="same")
    torch.testing.assert_close(model.features(images), expected)


def test_full_local_and_shared_make_the_same_maps_of_fewer_and_fewer_weights():
    models = {
        kind: CNN(GREY, channels=[3, 4], kernel=[3, 5], stride=[2, 1], connection=kind)
        for kind in ("full", "local", "shared")
    }
    shapes = {kind: model.features(torch.randn(2, 1, 8, 8)).shape for kind, model in models.items()}
    assert set(shapes.values()) == {(2, 4, 1, 1)}
    # 8×8 → 3×4×4, pooled to 3×2×2 → 4×2×2: a unit's weights and bias, times the units, or times the maps.
    assert num_parameters(models["full"].features) == (64 + 1) * 48 + (12 + 1) * 16
    assert num_parameters(models["local"].features) == (9 + 1) * 48 + (75 + 1) * 16
    assert num_parameters(models["shared"].features) == (9 + 1) * 3 + (75 + 1) * 4


def test_connections_by_stage():
    model = CNN(GREY, connection=["local", "shared"], init="kaiming_normal")
    assert isinstance(model.features.stage1.local1, LocallyConnected)
    assert isinstance(model.features.stage2.conv1, nn.Conv2d)
    assert model.features.stage1.local1.weight.var().item() == pytest.approx(2 / 9, rel=0.05)


@pytest.mark.parametrize("connection", ["local", "full"])
def test_more_weights_than_a_machine_holds(connection):
    large = DataSpec((3, 4096, 4096), "classes", tuple("ab"), output_dim=2)
    with pytest.raises(ConfigError, match="weights connect maps of 3×4096×4096 to maps of 32×4096×4096"):
        CNN(large, connection=connection)


def test_edges_come_first_and_stay():
    model = CNN(GREY, edges="sobel", channels=[4])
    assert model.features.stage1.conv1.in_channels == 2
    responses = []
    model.features.edges.register_forward_hook(lambda module, inputs, output: responses.append(output))
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    before = model.features.edges.weight.clone()
    model(torch.randn(2, 1, 8, 8)).sum().backward()
    optimizer.step()
    assert torch.equal(model.features.edges.weight, before)
    assert responses[0].shape == (2, 2, 8, 8)


def test_a_kernel_larger_than_its_padded_input():
    with pytest.raises(ConfigError, match=r"stage2\.conv1: its kernel of 7×7 .* padded input, 4×4") as error:
        CNN(GREY, kernel=7, padding=[3, 0])
    assert "model.padding=same" in error.value.hint
    with pytest.raises(ConfigError, match=r"dilation=4, 9×9 in total, is larger than its padded input, 8×8"):
        CNN(GREY, padding=0, dilation=4)


def test_a_pooling_window_larger_than_its_maps():
    with pytest.raises(ConfigError, match=r"stage4\.pool: its window of 2×2 .* 1×1") as error:
        CNN(GREY, channels=[2, 2, 2, 2])
    assert "model.pooling=null" in error.value.hint


@pytest.mark.parametrize(("kernel", "count"), [([3], 1), ([3, 5, 3], 3), ([], 0)])
def test_a_list_with_a_value_for_each_stage(kernel, count):
    with pytest.raises(ConfigError, match=rf"model\.kernel=.* has {count} values?, .*\[32,64\] makes 2 stages"):
        CNN(GREY, kernel=kernel)


def test_stochastic_pooling_wants_activations_that_are_not_negative(configure):
    for pooling in ("stochastic", "[null,stochastic]"):
        with pytest.raises(ConfigError, match=r"model\.pooling=stochastic"):
            configure("model=cnn", f"model.pooling={pooling}", "model.activation=tanh")
    configure("model=cnn", "model.pooling=stochastic", "model.activation=sigmoid")
    configure("model=cnn", "model.pooling=null", "model.activation=tanh")


def test_stochastic_pooling_is_a_function_of_the_mode():
    model = CNN(GREY, pooling="stochastic")
    images = torch.randn(4, 1, 8, 8)
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))


def test_the_last_sample_of_an_epoch_on_maps_of_one_pixel():
    model = CNN(GREY, channels=[2, 2, 2, 2], pooling=["max", "max", "max", None], norm="batch")
    assert model(torch.randn(1, 1, 8, 8)).isfinite().all()
