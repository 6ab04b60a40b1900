import pytest
import torch

from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.models.dcgan import Dcgan

CLASSES = ("a", "b", "c")


def spec(channels=1, side=8, classes=CLASSES):
    return DataSpec((channels, side, side), class_names=classes, input_range=(-1.0, 1.0))


def small(data, **how):
    torch.manual_seed(0)
    return Dcgan(data, latent_dim=5, generator_width=4, discriminator_width=4, **how)


@pytest.mark.parametrize("kernel", [4, 5])
@pytest.mark.parametrize("condition", ["none", "input", "every_layer", "projection"])
@pytest.mark.parametrize(("channels", "side"), [(1, 8), (1, 28), (3, 32), (3, 64), (1, 64), (3, 28)])
def test_shapes(channels, side, condition, kernel):
    model = small(spec(channels, side), condition=condition, kernel=kernel)
    labels = torch.tensor([0, 1, 2, 0])
    fakes = model.generate(model.noise(4), labels)
    assert fakes.shape == (4, channels, side, side)
    assert fakes.abs().max() <= 1
    assert model.discriminate(fakes, labels).shape == (4,)
    assert model(fakes).shape == (4,)


def test_the_papers_network_for_64_pixels():
    """1024, 512, 256 and 128 maps of 4, 8, 16 and 32 pixels, then the image."""
    model = Dcgan(spec(3, 64), generator_width=128)
    assert [tuple(layer.weight.shape[:2]) for layer in model.generator.layers] == [
        (1024, 512),
        (512, 256),
        (256, 128),
        (128, 3),
    ]
    assert model.generator.enter.out_features == 1024 * 4 * 4


@pytest.mark.parametrize("condition", ["input", "every_layer", "projection"])
def test_the_class_matters_to_both(condition):
    model = small(spec(side=16), condition=condition).eval()
    z, images = model.noise(6), torch.randn(6, 1, 16, 16)
    one, other = torch.zeros(6, dtype=torch.int64), torch.ones(6, dtype=torch.int64)
    assert not torch.allclose(model.generate(z, one), model.generate(z, other))
    assert not torch.allclose(model.discriminate(images, one), model.discriminate(images, other))


def test_projection_by_hand():
    model = small(spec(side=8), condition="projection").eval()
    images, labels = torch.randn(2, 1, 8, 8), torch.tensor([2, 0])
    d = model.discriminator
    maps = torch.nn.functional.leaky_relu(d.layers[0](images), 0.2)
    expected = d.head(maps.flatten(1))[:, 0]
    expected = expected + (d.embedding.weight[:, labels].T * maps.sum(dim=(2, 3))).sum(dim=1)
    assert torch.allclose(model.discriminate(images, labels), expected, atol=1e-6)


@pytest.mark.parametrize("norm", ["layer", "spectral", None])
def test_other_samples_do_not_matter_to_a_critic_without_batch_norm(norm):
    model = small(spec(side=32), discriminator_norm=norm)
    images = torch.randn(4, 1, 32, 32)
    model.discriminate(images)  # Spectral norm improves its estimate at each pass.
    together = model.eval().discriminate(images)
    alone = torch.cat([model.discriminate(image[None]) for image in images])
    assert torch.allclose(together, alone, atol=1e-5)


def test_batch_norm_makes_them_matter():
    model = small(spec(side=32))
    images = torch.randn(4, 1, 32, 32)
    assert not torch.allclose(model.discriminate(images)[:2], model.discriminate(images[:2]), atol=1e-3)


def test_weights_begin_as_the_paper_says():
    model = Dcgan(spec(3, 64))
    convolution = model.generator.layers[0].weight
    assert convolution.std().item() == pytest.approx(0.02, rel=0.02)
    assert model.generator.norms[0].weight.mean().item() == pytest.approx(1, abs=0.01)
    assert not model.discriminator.layers[0].bias.any()
    assert model.discriminator.layers[1].bias is None  # Batch norm would subtract it again.


def test_spectral_norm_bounds_every_layer():
    model = small(spec(side=32), discriminator_norm="spectral", init_std=1.0)
    for _ in range(200):
        model.discriminate(torch.randn(2, 1, 32, 32))
    for layer in [*model.discriminator.layers, model.discriminator.head]:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.05)


def test_a_size_that_cannot_be_made():
    with pytest.raises(ConfigError, match="cannot reach 30×30") as error:
        small(spec(side=30))
    assert error.value.hint == "data.resize=28 or data.resize=32"
