import math

import pytest
import torch

from dltool.config.check import Config
from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.losses.bernoulli import Bernoulli
from dltool.losses.mse import MSE
from dltool.models.autoencoder import Autoencoder
from dltool.tasks.autoencoder import AutoencoderTask

SPEC = DataSpec((1, 4, 4), class_names=("a", "b"), input_range=(0, 1))
IMAGES = torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(2))
BATCH = Batch(IMAGES, torch.zeros(8, dtype=torch.int64), 8)


def make_task(code_activation=None, loss=None, **settings):
    torch.manual_seed(0)
    model = Autoencoder(SPEC, latent_dim=3, hidden=[6], code_activation=code_activation)
    return AutoencoderTask(model, loss or MSE(SPEC), SPEC, **settings)


def test_the_target_is_the_input():
    task = make_task()
    squares = (task.model(IMAGES) - IMAGES).square().sum() / 8
    assert torch.allclose(task.loss(BATCH).mean, squares)
    assert math.isclose(task.evaluate(BATCH)["loss"].value(), float(squares), rel_tol=1e-6)


@pytest.mark.parametrize("noise", ["gaussian", "masking"])
def test_noise_is_put_on_the_input_alone_and_in_training_alone(noise, monkeypatch):
    task, plain = make_task(noise=noise, noise_strength=0.5), make_task()
    seen = []
    codes = task.model.codes
    monkeypatch.setattr(task.model, "codes", lambda inputs, labels=None: (seen.append(inputs), codes(inputs))[1])
    torch.manual_seed(1)
    loss = task.loss(BATCH)
    (corrupted,) = seen
    assert not torch.equal(corrupted, IMAGES)
    if noise == "masking":
        assert torch.equal(corrupted, IMAGES * (corrupted != 0))
        assert 0.3 < (corrupted == 0).float().mean() < 0.7
    else:
        assert 0.4 < (corrupted - IMAGES).std() < 0.6
    assert torch.allclose(loss.mean, (task.model.decode(codes(corrupted)) - IMAGES).square().sum() / 8)  # Clean.
    assert task.evaluate(BATCH)["loss"].value() == plain.evaluate(BATCH)["loss"].value()
    assert not torch.equal(task.corrupted(IMAGES), task.corrupted(IMAGES))  # Anew for each batch.


def test_l1_by_hand():
    task = make_task(sparsity="l1", sparsity_weight=0.7)
    loss = task.loss(BATCH)
    penalty = 0.7 * task.codes(IMAGES).abs().sum(1).mean()
    assert math.isclose(loss.logs["penalty"].value(), float(penalty), rel_tol=1e-6)
    assert torch.allclose(loss.mean, loss.logs["loss"].value() + penalty)


def test_kl_to_a_rate_by_hand():
    task = make_task("sigmoid", sparsity="kl", sparsity_weight=2.0, sparsity_target=0.1)
    rates = task.codes(IMAGES).mean(0).tolist()
    by_hand = 2.0 * sum(0.1 * math.log(0.1 / rate) + 0.9 * math.log(0.9 / (1 - rate)) for rate in rates)
    assert math.isclose(task.loss(BATCH).logs["penalty"].value(), by_hand, rel_tol=1e-5)
    assert math.isclose(float(task.density(torch.full((4, 3), 0.1))), 0, abs_tol=1e-6)  # Where it wants them.


@pytest.mark.parametrize("settings", [{}, {"sparsity": "l1"}])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_micro_batches_give_the_gradient_of_the_batch(settings, reduction):
    task = make_task(loss=MSE(SPEC, reduction=reduction), **settings)
    gradients = []
    for parts in ([BATCH], BATCH.split(3)):
        task.model.zero_grad()
        for part in parts:
            loss = task.loss(part)
            (loss.mean * loss.count / BATCH.size).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in task.model.parameters()]))
    assert torch.allclose(*gradients, atol=1e-5)


def test_pixels_are_shown_as_probabilities():
    task = make_task(loss=Bernoulli(SPEC))
    outputs = task.model(IMAGES)
    assert torch.allclose(task.reconstruct(IMAGES), outputs.sigmoid())
    samples = task.samples(5)
    assert samples.shape == (5, 1, 4, 4)
    assert torch.equal(samples, task.samples(5))  # Of the same codes each time.


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("model=autoencoder data=iris model.architecture=conv", "rows of numbers", "architecture=mlp"),
        ("model=autoencoder task.sparsity=kl", "needs units of the code in (0, 1)", "code_activation=sigmoid"),
        ("model=autoencoder task.sparsity=l1 task.sparsity_weight=0", "no effect", "sparsity_weight=0.1"),
        ("model=autoencoder task.noise=masking task.noise_strength=2", "greater than 1", "noise_strength=0.3"),
        ("model=autoencoder loss=gaussian", "those that fit are bernoulli, mse", "loss=mse"),
        ("model=autoencoder loss=cross_entropy", "those that fit are bernoulli, mse", "loss=mse"),
        ("model=autoencoder data=pydoc", "sequences", ""),
    ],
)
def test_what_does_not_fit_is_refused(words: str, message: str, hint: str, configure) -> None:
    with pytest.raises(ConfigError) as caught:
        configure(*words.split())
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_what_is_known_with_the_data_only(configure) -> None:
    from dltool.build.prepare import prepare

    def refusal(*words: str) -> ConfigError:
        config: Config = configure(*words)
        with pytest.raises(ConfigError) as caught:
            prepare(config)
        return caught.value

    error = refusal("model=autoencoder", "loss=bernoulli", "data=iris")
    assert "for inputs in [0, 1]" in error.message
    assert error.hint == "loss=mse"
    error = refusal("model=autoencoder", "loss=bernoulli", "data.scaling=symmetric")
    assert error.hint == "data.scaling=unit for images, or loss=mse"
    error = refusal("model=autoencoder", "model.architecture=conv", "model.channels=[4,4,4,4]")
    assert "16, 32, 48" in error.message
    assert "data.resize=16" in str(error.hint)
