import pytest
import torch
import torchvision
from torch import nn

from dltool.build.parts import describe
from dltool.build.prepare import prepare
from dltool.core.errors import DataError
from dltool.core.spec import DataSpec
from dltool.models.vgg import Vgg

CLASSES = tuple(map(str, range(1000)))
PAPER = DataSpec((3, 224, 224), "classes", CLASSES, output_dim=1000)


def spec_of(shape, num_classes=10):
    return DataSpec(shape, "classes", CLASSES[:num_classes], output_dim=num_classes)


def num_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("depth", "norm", "count"),
    [
        (11, None, 132_863_336),
        (13, None, 133_047_848),
        (16, None, 138_357_544),
        (16, "batch", 138_365_992),
        (19, None, 143_667_240),
    ],
)
def test_parameters_of_the_paper(depth, norm, count):
    with torch.device("meta"):
        model = Vgg(PAPER, depth=depth, norm=norm)
    assert model.choices == {"head": "imagenet"}
    assert num_parameters(model) == count
    layers = [layer for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    assert len(layers) == depth


@pytest.mark.parametrize("depth", [11, 13, 16, 19])
@pytest.mark.parametrize("norm", [None, "batch"])
def test_names_and_shapes_are_torchvision_s(depth, norm):
    with torch.device("meta"):
        ours = Vgg(PAPER, depth=depth, norm=norm).state_dict()
        theirs = getattr(torchvision.models, f"vgg{depth}" + ("_bn" if norm else ""))().state_dict()
    assert {key: tensor.shape for key, tensor in ours.items()} == {key: t.shape for key, t in theirs.items()}


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize("norm", [None, "batch"])
def test_computes_what_torchvision_s_does(norm, training):
    torch.manual_seed(0)
    # An eighth of the width, which their builders cannot vary: the hidden layers of full size take seconds and 500 MB.
    width, spec = 8, spec_of((3, 64, 64))
    channels = [entry if entry == "M" else entry * width // 64 for entry in torchvision.models.vgg.cfgs["A"]]
    with torch.device("meta"):
        theirs = torchvision.models.VGG(nn.Identity())
    theirs.features = torchvision.models.vgg.make_layers(channels, batch_norm=norm is not None)
    theirs.classifier[0], theirs.classifier[3] = nn.Linear(64 * 49, 512), nn.Linear(512, 512)
    theirs.classifier[6] = nn.Linear(512, 10)
    ours = Vgg(spec, depth=11, norm=norm, head="imagenet", width=width)
    ours.load_state_dict(theirs.state_dict())
    images, outputs = torch.randn(4, 3, 64, 64), []
    for model in (ours, theirs):
        model.train(training)
        torch.manual_seed(1)  # The same dropout.
        outputs.append(model(images))
    torch.testing.assert_close(*outputs, atol=1e-5, rtol=1e-5)
    for own, other in zip(ours.buffers(), theirs.buffers(), strict=True):
        torch.testing.assert_close(own, other, atol=1e-5, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vgg11", "vgg16_bn"])
def test_computes_what_torchvision_s_does_in_full_size(name):
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, name)()
    norm = "batch" if name.endswith("bn") else None
    ours = Vgg(spec_of((3, 64, 64), 1000), depth=int(name[3:5]), norm=norm, head="imagenet")
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 3, 64, 64)
    for training in (False, True):
        outputs = []
        for model in (ours, theirs):
            model.train(training)
            torch.manual_seed(1)
            outputs.append(model(images))
        torch.testing.assert_close(*outputs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("head", ["imagenet", "small"])
@pytest.mark.parametrize(("shape", "num_classes"), [((1, 32, 32), 2), ((3, 33, 70), 10), ((2, 64, 64), 1)])
def test_any_channels_sizes_and_classes(shape, num_classes, head):
    outputs = Vgg(spec_of(shape, num_classes), depth=13, width=2, head=head)(torch.randn(3, *shape))
    assert outputs.shape == (3, num_classes)
    outputs.sum().backward()


@pytest.mark.parametrize(("side", "head"), [(32, "small"), (223, "small"), (224, "imagenet")])
def test_the_head_follows_the_images(side, head):
    with torch.device("meta"):
        model = Vgg(spec_of((3, 224, side)), width=2)
    assert model.choices == {"head": head}
    assert Vgg(spec_of((3, 32, 32)), width=2, head="small").choices == {}


def test_dropout_of_each_head():
    def shares(**fields):
        modules = Vgg(spec_of((3, 32, 32)), width=2, **fields).modules()
        return [module.p for module in modules if isinstance(module, nn.Dropout)]

    assert shares(head="imagenet") == [0.5, 0.5]
    assert shares(head="small") == [0.0]
    assert shares(head="imagenet", dropout=0.0) == [0.0, 0.0]
    assert shares(head="small", dropout=0.3) == [0.3]


def test_initial_weights_keep_the_signal():
    """With He's variance the maps of the last stage are as large as the images; with the paper's they explode."""
    torch.manual_seed(0)
    images = torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        assert 0.1 < Vgg(spec_of((3, 32, 32))).features(images).std() < 10
        model = Vgg(spec_of((3, 32, 32)), init="normal")
        assert model.features(images).std() > 1e4
    assert model.features[28].weight.std().item() == pytest.approx(0.1, rel=0.01)
    assert not any(layer.bias.any() for layer in model.features if isinstance(layer, nn.Conv2d))


def test_small_images_are_resized_or_refused(configure):
    parts = prepare(configure("model=vgg11", "model.width=2", "data=digits"))
    assert parts.spec.input_shape == (1, 32, 32)
    assert parts.auto["model.head"] == "small"
    assert "model      head=small (for inputs of 1×32×32)" in describe(parts)
    with pytest.raises(DataError, match="8×8 are smaller than 32×32") as caught:
        prepare(configure("model=vgg11", "model.width=2", "data=digits", "data.resize=null"))
    assert caught.value.hint == "data.resize=auto or data.resize=32"


def test_without_batch_norm_the_rate_is_lower_unless_it_is_given(configure):
    assert configure("model=vgg16").tree["optim"]["lr"] == 1e-4
    assert configure("model=vgg16", "optim=adam").tree["optim"]["lr"] == 1e-3
    assert configure("model=vgg16_bn").tree["optim"]["lr"] == 1e-3


def test_pictures_of_many_sizes_become_those_of_the_paper(configure, tmp_path):
    from PIL import Image

    for number in range(20):
        folder = tmp_path / "ab"[number % 2]
        folder.mkdir(exist_ok=True)
        Image.new("RGB", (300 + number, 280)).save(folder / f"{number}.png")
    folder = ["data=image_folder", f"data.root={tmp_path}"]
    parts = prepare(configure("model=vgg11", "model.width=2", *folder))
    assert parts.spec.input_shape == (3, 224, 224)
    assert parts.auto["model.head"] == "imagenet"


def test_torchvision_s_weights_are_a_start(configure, tmp_path):
    with torch.device("meta"):
        shapes = torchvision.models.vgg11().features.state_dict()
    weights = {f"features.{key}": torch.randn(tensor.shape) for key, tensor in shapes.items()}
    torch.save(weights, tmp_path / "vgg11.pth")
    parts = prepare(configure("model=vgg11", "data=digits", f"init_from={tmp_path / 'vgg11.pth'}"))
    state = parts.task.model.state_dict()
    assert parts.warm_start.num_loaded == len(weights) - 1  # Grey images have another first kernel.
    assert torch.equal(state["features.18.weight"], weights["features.18.weight"])
