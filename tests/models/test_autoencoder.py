import pytest
import torch

from dltool.core.spec import DataSpec
from dltool.models.autoencoder import Autoencoder
from dltool.models.vae import Vae

DIGITS = DataSpec((1, 8, 8), class_names=tuple("0123456789"))


@pytest.mark.parametrize("architecture", ["mlp", "conv"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64)])
def test_images_of_every_size(architecture, shape):
    model = Autoencoder(DataSpec(shape), latent_dim=3, hidden=[8], channels=[2, 4], architecture=architecture)
    images = torch.rand(2, *shape)
    assert model.codes(images).shape == (2, 3)
    assert model(images).shape == images.shape


def test_the_networks_of_the_vae():
    """Only the last layer of the encoder differs, which gives a mean and a variance."""
    one, other = Autoencoder(DIGITS), Vae(DIGITS)
    assert str(one.decoder) == str(other.decoder)
    assert str(one.encoder).replace("out_features=20", "out_features=40") == str(other.encoder)


def test_a_bounded_code():
    codes = Autoencoder(DIGITS, code_activation="sigmoid").codes(50 * torch.randn(4, 1, 8, 8))
    assert codes.min() >= 0
    assert codes.max() <= 1
    assert (codes < 0.4).any()
