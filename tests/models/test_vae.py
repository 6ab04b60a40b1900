import math

import torch

from dltool.core.spec import DataSpec
from dltool.models.vae import Vae

DIGITS = DataSpec((1, 8, 8), class_names=tuple("0123456789"))


def test_has_the_size_of_the_recipe():
    model = Vae(DataSpec((1, 28, 28)))
    by_hand = 784 * 400 + 400 + 400 * 40 + 40 + 20 * 400 + 400 + 400 * 784 + 784
    assert sum(p.numel() for p in model.parameters()) == by_hand


def test_rows_of_numbers():
    model = Vae(DataSpec((4,), "none"), latent_dim=2, hidden=[8])
    rows = torch.randn(5, 4)
    mean, log_variance = model.encode(rows)
    assert mean.shape == log_variance.shape == (5, 2)
    assert torch.equal(model.codes(rows), mean)
    assert model(rows).shape == (5, 4)


def test_a_condition_reaches_both_halves():
    model = Vae(DIGITS, latent_dim=2, hidden=[8], condition="input")
    image, code, labels = torch.rand(1, 1, 8, 8).expand(2, -1, -1, -1), torch.randn(1, 2).expand(2, -1), torch.arange(2)
    means = model.codes(image, labels)
    images = model.decode(code, labels)
    assert not torch.equal(means[0], means[1])
    assert not torch.equal(images[0], images[1])


def test_a_learned_deviation_begins_with_that_of_the_data():
    model = Vae(DataSpec((4,), "none"), decoder_std="learned")
    assert model.num_first_inputs > 0
    inputs = 3 * torch.randn(500, 4)
    model.initialize_from(inputs)
    assert math.isclose(float(model.log_std.detach().exp()), float(inputs.std()), rel_tol=1e-6)
    assert Vae(DataSpec((4,), "none")).num_first_inputs == 0
