import pytest
import torch

from dltool.core.spec import DataSpec
from dltool.models.gan import Gan


@pytest.mark.parametrize("shape", [(2,), (1, 8, 8), (3, 5, 7)])
def test_shapes(shape):
    model = Gan(DataSpec(shape, "none"), latent_dim=6, generator_hidden=[9], discriminator_hidden=[])
    fakes = model.generator(model.noise(4))
    assert fakes.shape == (4, *shape)
    assert model.discriminator(fakes).shape == (4,)
    assert model(torch.randn(4, *shape)).shape == (4,)


def test_generator_stays_in_the_range_of_the_inputs():
    model = Gan(DataSpec((1, 4, 4), "none", input_range=(0.0, 2.0)), generator_norm=None)
    fakes = model.generator(100 * model.noise(64))
    assert 0 <= fakes.min() < 0.1
    assert 1.9 < fakes.max() <= 2


def test_generator_of_vectors_is_unbounded():
    model = Gan(DataSpec((2,), "none"), generator_norm=None)
    assert model.generator(1000 * model.noise(64)).abs().max() > 10


def test_priors():
    torch.manual_seed(0)
    spec = DataSpec((2,), "none")
    uniform = Gan(spec, prior="uniform").noise(2000)
    assert uniform.min() >= -1
    assert uniform.max() <= 1
    assert uniform.var().item() == pytest.approx(1 / 3, rel=0.05)
    assert Gan(spec, prior="normal").noise(2000).var().item() == pytest.approx(1, rel=0.05)


def test_dropout_is_the_discriminator_s_alone():
    model = Gan(DataSpec((2,), "none"), discriminator_dropout=0.5)
    noise = model.noise(8)
    assert torch.equal(model.generator(noise), model.generator(noise))
    assert not torch.equal(model.discriminator(torch.ones(8, 2)), model.discriminator(torch.ones(8, 2)))
