"""Every classifier of torchvision can be trained on any data, and computes what torchvision's does."""

import typing

import pytest
import torch
import torchvision
from torch import nn

from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.declarations.source import component
from dltool.models.torchvision import Arch, torchvision_model
from dltool.warm_start.pretrained import head_names

ARCHS = typing.get_args(Arch)
CLASSES = tuple(map(str, range(1000)))


def spec_of(channels, side, num_classes=7):
    return DataSpec((channels, side, side), "classes", CLASSES[:num_classes], output_dim=num_classes)


def test_the_names_are_torchvision_s():
    assert list(ARCHS) == torchvision.models.list_models(module=torchvision.models)


def trait(name, arch):
    value = getattr(component("model", "torchvision").traits, name)
    return value.get(arch, value["*"])


@pytest.mark.slow
@pytest.mark.parametrize("arch", ARCHS)
def test_every_architecture_takes_its_least_size_and_that_of_photographs(arch):
    """In training, and the last sample of an epoch alone: batch norm needs two values a channel."""
    for size in {trait("min_size", arch), trait("native_size", arch), trait("photo_size", arch)}:
        with torch.device("meta"):
            model = torchvision_model(spec_of(3, size), arch=arch).train()
            assert model(torch.zeros(1, 3, size, size)).shape == (1, 7)
    whole = {name for name, _ in model.named_parameters()}
    assert {*head_names(model)} < whole, "the last layer, as the classes need it"
    assert any(parameter.shape[0] == 7 for name, parameter in model.named_parameters() if name in head_names(model))


@pytest.mark.parametrize(("arch", "size"), [("mobilenet_v3_small", 64), ("squeezenet1_1", 64), ("resnet18", 80)])
def test_computes_what_torchvision_s_does(arch, size):
    model = torchvision_model(spec_of(3, size, 1000), arch=arch).eval()
    theirs = torchvision.models.get_model(arch).eval()
    model.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 3, size, size)
    assert torch.equal(model(images), theirs(images))


def test_a_transformer_is_built_for_the_data_s_size():
    with torch.device("meta"):
        model = torchvision_model(spec_of(3, 64), arch="vit_b_16")
    assert model.encoder.pos_embedding.shape == (1, 1 + (64 // 16) ** 2, 768)


def test_grey_is_what_equal_colours_would_give():
    torch.manual_seed(0)
    grey = torchvision_model(spec_of(1, 64), arch="squeezenet1_1").eval()
    torch.manual_seed(0)
    colour = torchvision_model(spec_of(3, 64), arch="squeezenet1_1").eval()
    image = torch.randn(2, 1, 64, 64)
    torch.testing.assert_close(grey(image), colour(image.expand(-1, 3, -1, -1)))


def test_the_auxiliary_outputs_are_left_out():
    model = torchvision_model(spec_of(3, 64), arch="googlenet")
    assert isinstance(model.train()(torch.randn(2, 3, 64, 64)), torch.Tensor)
    assert not model.transform_input
    assert torchvision_model(spec_of(3, 64), arch="googlenet", weights="DEFAULT").transform_input
    assert not torchvision_model(spec_of(1, 64), arch="googlenet", weights="DEFAULT").transform_input


@pytest.mark.parametrize(("arch", "side"), [("vit_b_16", 100), ("maxvit_t", 64), ("alexnet", 32)])
def test_a_size_that_it_cannot_take(arch, side):
    refused = rf"model.arch={arch} does not accept images of 3×{side}×"
    with torch.device("meta"), pytest.raises(ConfigError, match=refused) as error:
        torchvision_model(spec_of(3, side), arch=arch)
    assert error.value.hint == "data.resize=224, or for a folder of images data.size=224"


def test_an_unknown_architecture_is_answered_at_once(dltool_here):
    done = dltool_here("train", "model=torchvision", "model.arch=resnet19")
    assert done.returncode == 2
    assert "did you mean model.arch=resnet18?" in done.stderr


def test_the_head_alone_is_trained(configure):
    from dltool.build.prepare import prepare

    parts = prepare(
        configure("model=torchvision", "model.arch=squeezenet1_1", 'model.freeze=["*","!classifier"]', "data=digits")
    )
    trained = [name for name, parameter in parts.task.model.named_parameters() if parameter.requires_grad]
    assert trained == ["classifier.1.weight", "classifier.1.bias"]
    assert isinstance(parts.task.model.classifier[1], nn.Conv2d)
    assert parts.dataset.spec.input_shape == (1, 64, 64)
