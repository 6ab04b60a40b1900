import pytest
import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.models.r3gan import GAIN, Bottleneck, R3Gan

NAMES = tuple("0123456789")


def small(side=28, channels=1, condition="input", **fields):
    torch.manual_seed(0)
    spec = DataSpec((channels, side, side), class_names=NAMES, input_range=(-1.0, 1.0))
    sizes = {"latent_dim": 8, "width": 4, "max_width": 8, "blocks": 1, "group_width": 4, "condition_dim": 6} | fields
    return R3Gan(spec, condition=condition, **sizes)


@pytest.mark.parametrize("condition", ["none", "input"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [8, 28, 32, 64])
def test_images_of_each_size(side, channels, condition):
    model = small(side, channels, condition)
    labels = torch.tensor([3, 9, 0])
    images = model.generate(model.noise(3), labels)
    assert images.shape == (3, channels, side, side)
    assert model.discriminate(images, labels).shape == (3,)
    assert not any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in model.modules())


def test_another_size_is_an_error():
    with pytest.raises(ConfigError, match=r"doubles squares .* cannot reach 27×27; the nearest are 24 and 28"):
        small(27)


def test_residual_branches_begin_at_zero():
    features = torch.randn(2, 8, 5, 5)
    block = Bottleneck(8, 16, 4, num_blocks=6)
    assert torch.equal(block(features), features)
    nn.init.ones_(block.branch[-1].weight)
    assert not torch.equal(block(features), features)


def test_weights_before_a_rectifier_begin_smaller_the_more_blocks_there_are():
    for num_blocks in (1, 16):
        first, _, grouped, _, last = Bottleneck(64, 128, 16, num_blocks).branch
        scale = GAIN * num_blocks**-0.25
        assert first.weight.std().item() == pytest.approx(scale / 64**0.5, rel=0.05)
        assert grouped.weight.std().item() == pytest.approx(scale / (9 * 16) ** 0.5, rel=0.05)
        assert grouped.groups == 8
        assert last.weight.count_nonzero() == 0


def test_parameters_by_hand():
    """28 pixels, maps of 7, 14 and 28 with 8, 8 and 4 channels, a block at each: expansion 2, groups of 4."""

    def block(channels):
        inner = 2 * channels
        return channels * inner + inner + inner * 4 * 9 + inner + inner * channels

    model = small(condition="none")
    blocks = 2 * block(8) + block(4)
    shared = blocks + 8 * 49 + 8 * 4 + 4  # And the basis, one transition and the 1×1 from or to the image.
    assert sum(p.numel() for p in model.generator.parameters()) == shared + 8 * 8  # And the noise's weights.
    assert sum(p.numel() for p in model.discriminator.parameters()) == shared + 8
    conditional = small()
    assert sum(p.numel() for p in conditional.generator.parameters()) == shared + (8 + 6) * 8 + 10 * 6
    assert sum(p.numel() for p in conditional.discriminator.parameters()) == shared + 8 * 6 + 10 * 6


def test_biases_stand_before_rectifiers_only():
    model = small(64, 3)
    assert all(layer.bias is None for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Linear)))


def test_outputs_begin_with_variance_one():
    model = small(32, 3, width=32, max_width=64, group_width=16)
    labels = torch.arange(200) % 10
    images = model.generate(model.noise(200), labels)
    assert 0.3 < images.std() < 3
    assert 0.3 < model.discriminate(torch.randn(200, 3, 1, 1).expand(-1, -1, 32, 32), labels).std() < 3


def test_the_class_changes_the_image_and_the_verdict():
    model = small()
    z = model.noise(1)
    one, two = (model.generate(z, torch.tensor([label])) for label in (1, 2))
    assert (one - two).abs().max() > 1e-3
    assert (model.discriminate(one, torch.tensor([1])) - model.discriminate(one, torch.tensor([2]))).abs() > 1e-4


def test_the_generator_is_a_graph_for_batches_of_any_size():
    model = small(8).eval().requires_grad_(False)
    codes = model.codes(model.noise(3), torch.tensor([0, 1, 2]))
    sizes = {0: torch.export.Dim("batch")}
    graph = torch.export.export(model.generator, (codes,), dynamic_shapes=(sizes,)).module()
    assert torch.equal(graph(codes[:2]), model.generator(codes[:2]))
