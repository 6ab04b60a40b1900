import pytest
import torch
import torchvision
from torch import nn

from dltool.build.prepare import prepare
from dltool.core.errors import ConfigError, DataError
from dltool.core.spec import DataSpec
from dltool.models.resnet import (
    BasicBlock,
    Block,
    CifarResNet,
    PaddedIdentity,
    PreactivationBasicBlock,
    ResNet,
)

CLASSES = tuple(map(str, range(1000)))
SHAPES = {  # Table 1 of the paper.
    18: ([2, 2, 2, 2], "basic"),
    34: ([3, 4, 6, 3], "basic"),
    50: ([3, 4, 6, 3], "bottleneck"),
    101: ([3, 4, 23, 3], "bottleneck"),
    152: ([3, 8, 36, 3], "bottleneck"),
}


def spec_of(*shape, num_classes=10):
    return DataSpec(shape, "classes", CLASSES[:num_classes], output_dim=num_classes)


CIFAR = spec_of(3, 32, 32)
PAPER = spec_of(3, 224, 224, num_classes=1000)


def num_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def num_layers(module):
    return sum(isinstance(layer, (nn.Conv2d, nn.Linear)) for layer in module.modules())


def randomized(model):
    """The model with norms that do not start at one and zero, as after training."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return model


@pytest.mark.parametrize(("depth", "millions"), [(20, "0.27"), (32, "0.46"), (44, "0.66"), (56, "0.85"), (110, "1.7")])
def test_parameters_and_layers_of_the_paper_s_table_6(depth, millions):
    with torch.device("meta"):
        model, plain = CifarResNet(CIFAR, depth=depth), CifarResNet(CIFAR, depth=depth, shortcut="none")
    digits = len(millions.partition(".")[2])
    assert f"{num_parameters(model) / 1e6:.{digits}f}" == millions
    assert num_layers(model) == depth
    assert num_parameters(plain) == num_parameters(model)


@pytest.mark.parametrize(
    ("depth", "count"), [(18, 11_689_512), (34, 21_797_672), (50, 25_557_032), (101, 44_549_160), (152, 60_192_808)]
)
def test_names_shapes_and_parameters_are_torchvision_s(depth, count):
    blocks, block = SHAPES[depth]
    with torch.device("meta"):
        model = ResNet(PAPER, blocks=blocks, block=block)
        theirs = getattr(torchvision.models, f"resnet{depth}")().state_dict()
    assert model.choices == {"stem": "imagenet"}
    assert num_parameters(model) == count
    shapes = {key: tensor.shape for key, tensor in model.state_dict().items()}
    assert shapes == {key: tensor.shape for key, tensor in theirs.items()}


@pytest.mark.parametrize("depth", [18, 50])
def test_computes_what_torchvision_s_does(depth):
    torch.manual_seed(0)
    blocks, block = SHAPES[depth]
    theirs = randomized(getattr(torchvision.models, f"resnet{depth}")())
    ours = ResNet(spec_of(3, 64, 64, num_classes=1000), blocks=blocks, block=block)
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(4, 3, 64, 64)
    for training in (False, True):
        outputs = [model.train(training)(images) for model in (ours, theirs)]
        torch.testing.assert_close(*outputs, atol=1e-5, rtol=1e-5)
    for key, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[key], value, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shortcut", ["A", "B", "C", "none"])
@pytest.mark.parametrize("block", ["basic", "bottleneck"])
@pytest.mark.parametrize("preactivation", [False, True])
def test_every_form_takes_any_channels_sizes_and_classes(shortcut, block, preactivation):
    for shape, num_classes, stem in (((1, 8, 8), 2, "small"), ((3, 33, 70), 7, "imagenet")):
        spec = spec_of(*shape, num_classes=num_classes)
        fields = {"blocks": [1, 2], "block": block, "shortcut": shortcut, "preactivation": preactivation}
        model = ResNet(spec, stem=stem, width=4, **fields)
        outputs = model(torch.randn(3, *shape))
        assert outputs.shape == (3, num_classes)
        outputs.square().sum().backward()
        assert all(parameter.grad.any() for parameter in model.parameters())


def test_one_image_is_enough_where_the_maps_are_single_values():
    model = ResNet(CIFAR, blocks=[1, 1, 1, 1], stem="imagenet", width=4).train()
    assert model(torch.randn(1, 3, 32, 32)).isfinite().all()


@pytest.mark.parametrize(("side", "stem"), [(28, "small"), (63, "small"), (64, "imagenet")])
def test_the_stem_follows_the_images(side, stem):
    assert ResNet(spec_of(3, 100, side), blocks=[1], width=4).choices == {"stem": stem}
    assert ResNet(spec_of(3, 100, side), blocks=[1], width=4, stem="small").choices == {}


def test_a_cifar_resnet_is_a_resnet_of_three_stages():
    torch.manual_seed(0)
    ours = CifarResNet(CIFAR, depth=8, width=4)
    torch.manual_seed(0)
    same = ResNet(CIFAR, blocks=[1, 1, 1], stem="small", width=4, shortcut="A")
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(ours(images), same(images))
    assert CifarResNet(CIFAR, depth=26).layer3(torch.randn(1, 32, 16, 16)).shape == (1, 64, 8, 8)


def test_shortcut_a_leaves_positions_out_and_appends_zeros():
    maps = torch.randn(2, 3, 5, 4)
    outputs = PaddedIdentity(2, 4)(maps)
    assert outputs.shape == (2, 7, 3, 2)
    assert torch.equal(outputs[:, :3], maps[:, :, ::2, ::2])
    assert not outputs[:, 3:].any()


def test_shortcuts_stand_where_the_paper_says():
    def of(shortcut):
        return [type(m.downsample).__name__ for m in CifarResNet(CIFAR, depth=14, shortcut=shortcut).modules()
                if isinstance(m, Block)]  # fmt: skip

    assert of("A") == ["Identity", "Identity", "PaddedIdentity", "Identity", "PaddedIdentity", "Identity"]
    assert of("B") == ["Identity", "Identity", "Sequential", "Identity", "Sequential", "Identity"]
    assert of("C") == ["Sequential"] * 6
    assert of("none") == ["NoneType"] * 6


def test_blocks_compute_their_equations():
    maps, relu = torch.randn(4, 6, 8, 8), torch.relu
    block = randomized(BasicBlock(6, 6, 1, "A"))
    branch = block.bn2(block.conv2(relu(block.bn1(block.conv1(maps)))))
    torch.testing.assert_close(block(maps), relu(maps + branch))
    plain = randomized(BasicBlock(6, 6, 1, "none"))
    plain.load_state_dict(block.state_dict())
    torch.testing.assert_close(plain(maps), relu(branch))
    block = randomized(PreactivationBasicBlock(6, 6, 1, "A"))
    branch = block.conv2(relu(block.bn2(block.conv1(relu(block.bn1(maps))))))
    torch.testing.assert_close(block(maps), maps + branch)
    block = randomized(PreactivationBasicBlock(6, 12, 2, "B"))
    activated = relu(block.bn1(maps))
    branch = block.conv2(relu(block.bn2(block.conv1(activated))))
    torch.testing.assert_close(block(maps), block.downsample(activated) + branch)


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
def test_zero_last_norm_begins_with_identities(block):
    spec = spec_of(3, 16, 16)
    model = ResNet(spec, blocks=[3], block=block, stem="small", width=4, shortcut="A", zero_last_norm=True)
    maps = torch.randn(4, 4, 16, 16).relu()
    first = model.layer1(maps)
    assert torch.equal(first[:, :4], maps)
    assert not first[:, 4:].any()
    model(torch.randn(4, 3, 16, 16)).square().sum().backward()
    norms = [norm for key, norm in model.named_parameters() if key.endswith(("bn2.weight", "bn3.weight"))]
    assert any(norm.grad.any() for norm in norms if not norm.any())


def test_weights_start_with_he_s_variance():
    torch.manual_seed(0)
    model = CifarResNet(CIFAR)
    for layer, fan_in in ((model.layer3[2].conv2, 64 * 9), (model.layer2[0].conv1, 16 * 9), (model.fc, 64)):
        assert layer.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.1)


def test_a_small_image_stays_small_and_a_tiny_one_is_refused(configure):
    parts = prepare(configure("model=resnet18", "model.width=4", "data=digits"))
    assert parts.spec.input_shape == (1, 8, 8)
    assert parts.auto["model.stem"] == "small"
    with pytest.raises(DataError, match="smaller than 8×8") as caught:
        prepare(configure("model=resnet20", "data=digits", "data.resize=6"))
    assert caught.value.hint == "data.resize=auto or data.resize=32"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model=resnet20", "model.depth=21"], r"6n \+ 2"),
        (["model=resnet20", "model.depth=2"], r"6n \+ 2"),
        (["model=resnet18", "model.blocks=[]"], "no stage"),
        (["model=resnet18", "model.zero_last_norm=true", "model.shortcut=none"], "zero_last_norm"),
        (["model=resnet56", "model.zero_last_norm=true", "model.preactivation=true"], "zero_last_norm"),
    ],
)
def test_what_cannot_be(configure, overrides, message):
    with pytest.raises(ConfigError, match=message):
        configure(*overrides)


@pytest.mark.parametrize(
    "fields",
    [{}, {"shortcut": "none"}, {"preactivation": True}, {"shortcut": "B", "zero_last_norm": True}],
    ids=lambda fields: ",".join(fields) or "default",
)
def test_learns_a_batch_by_heart(fields):
    torch.manual_seed(0)
    model = CifarResNet(spec_of(1, 8, 8), depth=8, width=8, **fields)
    images, labels = torch.randn(32, 1, 8, 8), torch.arange(32) % 10
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=0.01), []
    for _ in range(40):
        losses.append(nn.functional.cross_entropy(model(images), labels))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.1 * losses[0]
