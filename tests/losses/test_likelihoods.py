import math

import torch
from torch import distributions

from dltool.core.spec import DataSpec
from dltool.losses.bernoulli import Bernoulli
from dltool.losses.gaussian import Gaussian
from dltool.losses.mse import MSE

SPEC = DataSpec((1, 4, 4), class_names=("a", "b"))
OUTPUTS = torch.randn(6, 1, 4, 4, generator=torch.Generator().manual_seed(1))


def test_bernoulli_is_the_likelihood_of_black_and_white():
    inputs = torch.bernoulli(torch.full_like(OUTPUTS, 0.5))
    expected = distributions.Bernoulli(logits=OUTPUTS).log_prob(inputs).sum((1, 2, 3))
    loss = Bernoulli(SPEC)
    assert torch.allclose(loss.log_prob(OUTPUTS, inputs), expected)
    mean, count = loss(OUTPUTS, inputs)
    assert torch.allclose(mean, -expected.mean())
    assert count == 6
    assert torch.equal(loss.expected(OUTPUTS), OUTPUTS.sigmoid())


def test_gaussian_has_all_constants():
    inputs = torch.rand_like(OUTPUTS)
    expected = distributions.Normal(OUTPUTS, 0.3).log_prob(inputs).sum((1, 2, 3))
    assert torch.allclose(Gaussian(SPEC, std=0.3).log_prob(OUTPUTS, inputs), expected)
    learned = torch.tensor(math.log(0.3))
    assert torch.allclose(Gaussian(SPEC, std=5.0).log_prob(OUTPUTS, inputs, learned), expected)
    assert torch.equal(Gaussian(SPEC).expected(OUTPUTS), OUTPUTS)


def test_the_squared_error_of_an_autoencoder_is_summed_over_pixels():
    """Its targets are the inputs, though the data has classes."""
    inputs = torch.rand_like(OUTPUTS)
    mean, count = MSE(SPEC)(OUTPUTS, inputs)
    assert torch.allclose(mean, (OUTPUTS - inputs).square().sum((1, 2, 3)).mean())
    assert count == 6
