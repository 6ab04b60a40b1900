import pytest
import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.models.stylegan2 import StyleGan2

NAMES = tuple("0123456789")


def small(side=28, channels=1, condition="input", **fields):
    torch.manual_seed(0)
    spec = DataSpec((channels, side, side), class_names=NAMES, input_range=(-1.0, 1.0))
    sizes = {"latent_dim": 8, "w_dim": 6, "mapping_layers": 2, "width": 4, "max_width": 8} | fields
    return StyleGan2(spec, condition=condition, **sizes)


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
    with pytest.raises(ConfigError, match=r"doubles squares .* cannot reach 30×30; the nearest are 28 and 32"):
        small(30)


def test_channels_double_where_the_size_halves():
    model = small(64, width=4, max_width=24)
    assert [layer.convolution.weight.shape[1] for layer in model.generator.synthesis.to_image] == [24, 24, 16, 8, 4]
    assert model.generator.synthesis.num_layers == 10


def test_the_length_of_a_code_is_of_no_effect():
    model = small(condition="none").eval()
    z = model.noise(2)
    torch.testing.assert_close(model.generate(z), model.generate(7 * z), atol=1e-5, rtol=1e-5)


def test_the_mapping_learns_a_hundred_times_as_slowly():
    mapping = small().generator.mapping
    layers = [layer for layer in mapping.layers if hasattr(layer, "lr_multiplier")]
    assert [layer.lr_multiplier for layer in layers] == [0.01, 0.01]
    assert mapping.embedding.lr_multiplier == 1
    codes = torch.cat([torch.randn(500, 8), torch.eye(10).repeat(50, 1)], dim=1)
    assert mapping(codes).square().mean().item() == pytest.approx(1, abs=0.5)


def test_the_class_changes_the_image_and_the_verdict():
    model = small().eval()
    z = model.noise(1)
    one, two = (model.generate(z, torch.tensor([label])) for label in (1, 2))
    assert (one - two).abs().max() > 1e-3
    scores = [model.discriminate(one, torch.tensor([label])) for label in (1, 2)]
    assert (scores[0] - scores[1]).abs().item() > 1e-4


def test_noise_is_drawn_in_training_and_fixed_in_evaluation():
    model = small(condition="none")
    z = model.noise(2)
    assert torch.equal(model.generate(z), model.generate(z))  # Its strength begins at zero.
    for layer in model.generator.synthesis.layers:
        layer.noise_strength.data.fill_(1.0)
    assert not torch.equal(model.generate(z), model.generate(z))
    torch.manual_seed(1)
    model.eval()
    assert torch.equal(model.generate(z), model.generate(z))
    again = small(condition="none").eval()
    again.load_state_dict(model.state_dict())
    assert torch.equal(model.generate(z), again.generate(z))
    silent = small(condition="none", noise=False)
    assert not any("noise" in name for name, _ in silent.named_parameters())


def test_the_first_layers_of_a_mixed_sample_have_the_first_style():
    generator = small().generator
    ones, twos = torch.ones(400, 6), torch.full((400, 6), 2.0)
    mixed = generator.mixed(ones, twos, 0.75)
    assert mixed.shape == (400, 6, 6)
    assert (mixed == mixed[:, :, :1]).all()
    by_layer = mixed[:, :, 0]
    assert (by_layer[:, 0] == 1).all()
    assert (by_layer.diff(dim=1) >= 0).all()  # Once the second, always the second.
    assert (by_layer[:, -1] == 2).float().mean().item() == pytest.approx(0.75, abs=0.08)
    crossings = (by_layer == 1).sum(dim=1)
    assert set(crossings.tolist()) == {1, 2, 3, 4, 5, 6}
    assert torch.equal(generator.mixed(ones, twos, 0.0), generator.at_every_layer(ones))


def test_the_mean_style_of_each_class():
    generator = small().generator
    styles = torch.tensor([[1.0] * 6, [3.0] * 6, [10.0] * 6])
    generator.track(styles, torch.tensor([4, 4, 7]))
    expected = torch.zeros(10, 6)
    expected[4], expected[7] = 0.005 * 2, 0.005 * 10
    torch.testing.assert_close(generator.w_average, expected)
    generator.track(styles[:1], torch.tensor([4]))
    assert generator.w_average[4, 0].item() == pytest.approx(0.995 * 0.01 + 0.005)
    assert generator.w_average[7, 0].item() == pytest.approx(0.05)
    whole = small(condition="none").generator
    whole.track(styles, None)
    torch.testing.assert_close(whole.w_average, torch.full((1, 6), 0.005 * 14 / 3))


def test_truncation_goes_to_the_mean_style():
    generator = small().generator
    generator.w_average.copy_(torch.arange(60.0).view(10, 6))
    styles, labels = torch.randn(2, 6), torch.tensor([1, 5])
    assert torch.equal(generator.truncated(styles, labels, 1.0), styles)
    assert torch.equal(generator.truncated(styles, labels, 0.0), generator.w_average[labels])
    half = (styles + generator.w_average[labels]) / 2
    torch.testing.assert_close(generator.truncated(styles, labels, 0.5), half)


def test_activations_keep_their_size():
    """The variance that goes in comes out, in G and D, which is why no norm is needed."""
    model = small(64, 3, width=16, max_width=32)
    features = model.generator.synthesis.layers[0](torch.randn(4, 32, 4, 4), torch.randn(4, 6))
    assert 0.5 < features.square().mean() < 2
    scores = model.discriminate(torch.randn(64, 3, 64, 64), torch.arange(64) % 10)
    assert 0.1 < scores.std() < 3


def test_the_generator_is_a_graph_for_batches_of_any_size():
    model = small(8).eval().requires_grad_(False)
    codes = model.codes(model.noise(3), torch.tensor([0, 1, 2]))
    sizes = {0: torch.export.Dim("batch")}
    graph = torch.export.export(model.generator, (codes,), dynamic_shapes=(sizes,)).module()
    assert torch.equal(graph(codes[:2]), model.generator(codes[:2]))
