"""timm's classifiers, where the package is installed."""

import pytest
import torch

from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.models.timm import timm_model
from dltool.warm_start.pretrained import head_names, pretrained
from dltool.warm_start.published import timm_file


def spec_of(channels, side):
    return DataSpec((channels, side, side), "classes", tuple("abc"), output_dim=3)


def test_without_the_package(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="model=timm needs the package timm") as error:
        timm_model(spec_of(3, 64))
    assert error.value.hint == 'pip install "dltool-torch[timm]"'


@pytest.mark.parametrize("arch", ["test_resnet", "test_vit", "test_efficientnet"])
def test_takes_the_data_s_channels_size_and_classes(arch):
    pytest.importorskip("timm")
    model = timm_model(spec_of(1, 64), arch=arch)
    assert model.training
    assert model(torch.randn(2, 1, 64, 64)).shape == (2, 3)
    assert all(parameter.shape[0] == 3 for name, parameter in model.named_parameters() if name in head_names(model))


@pytest.mark.parametrize(
    ("arch", "message", "hint"),
    [
        ("resnet19", "has no such architecture", "did you mean model.arch=resnet18?"),
        ("hf-hub:someone/resnet18", "has no such architecture", None),
        ("resnet18.nix", "Invalid pretrained tag", None),
        (
            "inception_v3",
            "does not accept images of 3×64×64",
            "data.resize=299, or for a folder of images data.size=299",
        ),
    ],
)
def test_what_cannot_be_built(arch, message, hint):
    pytest.importorskip("timm")
    with pytest.raises(ConfigError, match=message) as error:
        timm_model(spec_of(3, 64), arch=arch)
    assert hint in (None, error.value.hint)


def test_weights_from_a_file(tmp_path):
    timm = pytest.importorskip("timm")
    theirs = timm.create_model("test_resnet")
    torch.save(theirs.state_dict(), tmp_path / "their.pth")
    model = timm_model(spec_of(1, 64), arch="test_resnet").eval()
    fields = {"arch": "test_resnet", "weights": str(tmp_path / "their.pth"), "download": False}
    start = pretrained(model, "timm", fields)
    assert list(start.skipped) == ["fc.weight", "fc.bias"]
    images = torch.randn(2, 1, 64, 64)
    features = theirs.eval().forward_features(images.expand(-1, 3, -1, -1))
    torch.testing.assert_close(model.forward_features(images), features)


def test_names_of_weights(monkeypatch):
    pytest.importorskip("timm")
    cached = {("timm/resnet18.a1_in1k", "model.safetensors"): "/cache/model.safetensors"}
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda repo, name: cached.get((repo, name)))
    assert str(timm_file("resnet18", "DEFAULT", False)) == "/cache/model.safetensors"
    assert str(timm_file("resnet18.a1_in1k", "DEFAULT", False)) == "/cache/model.safetensors"
    with pytest.raises(ConfigError, match=r"timm/resnet18.a2_in1k, .* nothing is downloaded unasked"):
        timm_file("resnet18", "a2_in1k", False)
    with pytest.raises(ConfigError, match="timm has no such weights for resnet18") as error:
        timm_file("resnet18", "a1_in2k", False)
    assert error.value.hint == "did you mean model.weights=a1_in1k?"
