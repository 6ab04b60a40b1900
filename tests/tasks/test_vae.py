import math

import pytest
import torch
from torch import distributions

from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.engine.evaluator import evaluate
from dltool.losses.bernoulli import Bernoulli
from dltool.losses.gaussian import Gaussian
from dltool.metrics.directions import declared_direction
from dltool.models.vae import Vae
from dltool.tasks.vae import VaeTask, kl_divergence

SPEC = DataSpec((1, 4, 4), class_names=("a", "b"), input_range=(0, 1))
IMAGES = torch.rand(50, 1, 4, 4, generator=torch.Generator().manual_seed(2))
LABELS = torch.arange(50) % 2
BATCH = Batch(IMAGES, LABELS, 50)


def make_task(spec=SPEC, loss=None, condition="none", decoder_std="loss", **settings):
    torch.manual_seed(0)
    model = Vae(spec, latent_dim=3, hidden=[6], condition=condition, decoder_std=decoder_std)
    return VaeTask(model, loss or Bernoulli(spec), spec, **settings)


def batches(size):
    return [Batch(IMAGES[i : i + size], LABELS[i : i + size], size) for i in range(0, len(IMAGES), size)]


def test_kl_is_that_of_torch():
    mean, log_variance = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(1))
    normal = distributions.Normal(mean, (log_variance / 2).exp())
    expected = distributions.kl_divergence(normal, distributions.Normal(0.0, 1.0)).sum(1)
    assert torch.allclose(kl_divergence(mean, log_variance), expected, atol=1e-6)
    assert (kl_divergence(mean, log_variance) > 0).all()
    assert torch.equal(kl_divergence(torch.zeros(1, 3), torch.zeros(1, 3)), torch.zeros(1))


@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_the_loss_by_hand(beta):
    task = make_task(beta=beta, binarize="threshold")
    torch.manual_seed(5)
    loss = task.loss(BATCH)
    torch.manual_seed(5)
    x = (IMAGES > 0.5).float()
    mean, log_variance = task.model.encode(x)
    z = mean + (log_variance / 2).exp() * torch.randn(50, 3)
    logits = task.model.decode(z)
    log_prob = distributions.Bernoulli(logits=logits).log_prob(x).sum((1, 2, 3)).mean()
    kl = 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).sum(1).mean()
    assert torch.allclose(loss.mean, beta * kl - log_prob)
    logged = {name: part.value() for name, part in loss.logs.items()}
    expected = {"loss": beta * kl - log_prob, "neg_elbo": kl - log_prob, "reconstruction": -log_prob, "kl": kl}
    assert logged == pytest.approx({name: float(value.detach()) for name, value in expected.items()}, rel=1e-5)
    assert loss.count == 50


def test_pixels_are_drawn_anew_in_training_and_once_for_all_in_an_evaluation():
    task = make_task()
    assert task.binarize == "dynamic"
    torch.manual_seed(1)
    first, second = task.loss(BATCH).mean, task.loss(BATCH).mean
    assert first != second
    x, _ = task.drawn_once(IMAGES)
    assert set(x.unique().tolist()) == {0.0, 1.0}
    assert 0.4 < float((x == (IMAGES > 0.5)).float().mean()) < 0.9
    many = make_task()
    white = torch.stack([many.drawn_once(IMAGES[:1])[0] for _ in range(4000)]).mean(0)
    assert (white - IMAGES[:1]).abs().max() < 0.04  # As probably as they are grey.


@pytest.mark.parametrize("settings", [{}, {"num_importance_samples": 3, "nll_samples": 7}, {"binarize": "threshold"}])
def test_an_evaluation_is_the_same_in_batches_of_any_size_and_from_any_seed(settings):
    task = make_task(**settings)
    measured = []
    for seed, size in enumerate((50, 7, 1, 16)):
        torch.manual_seed(seed)
        measured.append(evaluate(task, batches(size)))
    for other in measured[1:]:
        assert other == pytest.approx(measured[0], rel=1e-5)


def test_the_noise_of_an_evaluation_is_normal():
    _, noise = make_task().drawn_once(torch.rand(3000, 1, 4, 4))
    assert abs(float(noise.mean())) < 0.03
    assert abs(float(noise.std()) - 1) < 0.03
    assert noise.isfinite().all()


def test_beta_grows_from_0_and_is_in_the_state():
    task = make_task(beta=2.0, beta_warmup_steps=4)
    betas = []
    for _ in range(6):
        betas.append(task.beta_of_step())
        task.num_steps += 1
    assert betas == [0, 0.5, 1.0, 1.5, 2.0, 2.0]
    other = make_task(beta=2.0, beta_warmup_steps=4)
    other.load_state_dict(task.state_dict())
    assert other.beta_of_step() == 2.0
    measured = evaluate(make_task(beta=2.0, beta_warmup_steps=4), [BATCH])  # At its first step, with the whole beta.
    assert measured["loss"] == pytest.approx(measured["reconstruction"] + 2 * measured["kl"], rel=1e-5)
    assert measured["neg_elbo"] == pytest.approx(measured["reconstruction"] + measured["kl"], rel=1e-5)


def test_grey_pixels_give_no_elbo():
    task = make_task(binarize="none", num_importance_samples=2)
    measured = evaluate(task, [BATCH])
    assert list(measured) == ["loss", "grey_neg_elbo", "reconstruction", "kl", "grey_nll_2"]
    assert "do not compare it with an ELBO" in task.remarks[0]
    assert make_task().remarks == []


class Linear(Vae):
    """x ~ N(W z, s²), z ~ N(0, I): p(x) is known, and so is p(z|x), from which q is kept away a little."""

    def __init__(self, spec, weight, std, shift):
        super().__init__(spec, latent_dim=weight.shape[1])
        self.weight, self.std, self.shift = weight, std, shift
        precision = torch.eye(weight.shape[1]) + weight.T @ weight / std**2
        self.covariance = precision.inverse()

    def encode(self, inputs, labels=None):
        mean = inputs @ self.weight @ self.covariance.T / self.std**2 + self.shift
        return mean, self.covariance.diagonal().log().expand_as(mean)

    def decode(self, codes, labels=None):
        return codes @ self.weight.T


def linear_task(shift, k):
    spec = DataSpec((4,), "none")
    weight = torch.randn(4, 2, generator=torch.Generator().manual_seed(3))
    model = Linear(spec, weight, 0.7, shift)
    task = VaeTask(model, Gaussian(spec, std=0.7), spec, num_importance_samples=k, nll_samples=None)
    exact = distributions.MultivariateNormal(torch.zeros(4), weight @ weight.T + 0.49 * torch.eye(4))
    x = exact.sample((20,))
    return task, x, -float(exact.log_prob(x).mean())


def test_importance_sampling_reaches_the_exact_likelihood():
    torch.manual_seed(4)
    task, x, exact = linear_task(shift=0.2, k=4000)
    measured = evaluate(task, [Batch(x, torch.zeros(20), 20)])
    assert measured["nll_4000"] == pytest.approx(exact, abs=0.02)
    assert measured["neg_elbo"] > exact + 0.05


def test_more_importance_samples_give_a_tighter_bound():
    bounds = []
    for k in (1, 5, 50, 500):
        torch.manual_seed(4)
        task, x, exact = linear_task(shift=0.8, k=k)
        bounds.append(evaluate(task, [Batch(x, torch.zeros(20), 20)])[f"nll_{k}"])
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[0] > bounds[-1] + 0.3
    assert bounds[-1] > exact - 0.1


def test_the_estimate_does_not_depend_on_how_many_are_decoded_at_a_time(monkeypatch):
    from dltool.tasks import importance

    torch.manual_seed(4)
    task, x, _ = linear_task(shift=0.3, k=300)
    whole = evaluate(task, [Batch(x, torch.zeros(20), 20)])["nll_300"]
    monkeypatch.setattr(importance, "NUMBERS_AT_A_TIME", 4 * 64)
    assert evaluate(task, [Batch(x, torch.zeros(20), 20)])["nll_300"] == pytest.approx(whole, abs=0.05)


def test_the_first_samples_are_estimated():
    task = make_task(num_importance_samples=2, nll_samples=9)
    task.start_evaluation()
    parts = [task.evaluate(batch).get("nll_2") for batch in batches(7)]
    assert [part and part.count for part in parts[:3]] == [7, 2, None]
    assert task.remarks == ["nll_2: importance-weighted, for the first 9; at least -log p(x) in expectation"]


@pytest.mark.parametrize("decoder_std", ["loss", "learned"])
def test_micro_batches_give_the_gradient_of_the_batch(decoder_std, monkeypatch):
    spec = DataSpec((1, 4, 4), class_names=("a", "b"))
    task = make_task(spec, Gaussian(spec), decoder_std=decoder_std, condition="input")
    monkeypatch.setattr(torch, "randn", lambda *size, **kw: torch.full(size, 0.3))
    gradients = []
    for parts in ([BATCH], BATCH.split(3)):
        task.model.zero_grad()
        for part in parts:
            loss = task.loss(part)
            (loss.mean * loss.count / BATCH.size).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in task.model.parameters()]))
    assert torch.allclose(*gradients, rtol=1e-4, atol=1e-4)


def test_a_conditional_model_makes_samples_of_a_class():
    task = make_task(condition="input")
    codes = torch.randn(1, 3).expand(2, -1)
    assert not torch.equal(*task.decode(codes, torch.tensor([0, 1])))
    assert torch.equal(task.decode(codes), task.decode(codes, torch.tensor([0, 1])))  # In turn.
    assert not torch.equal(*task.reconstruct(IMAGES[:1].expand(2, -1, -1, -1), torch.tensor([0, 1])))
    swapped = evaluate(task, [BATCH._replace(targets=1 - LABELS)])
    assert swapped != evaluate(task, [BATCH])
    assert list(task.networks) == ["decoder"]
    assert task.networks["decoder"].module(task.codes_to_export(4)).shape == (4, 1, 4, 4)


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("model=vae data=diabetes model.condition=input", "has no classes", "condition=none"),
        ("model=vae data=iris model.architecture=conv", "rows of numbers", "architecture=mlp"),
        ("model=vae model.decoder_std=learned", "deviation of a normal", "loss=gaussian"),
        ("model=vae loss=gaussian task.binarize=dynamic", "black or white", "binarize=auto"),
        ("model=vae data.augment.mixup=1", "mix classes", "mixup=0"),
        ("model=vae loss=mse", "those that fit are bernoulli, gaussian", "loss=bernoulli"),
        ("model=vae task.num_importance_samples=0", "> 0", ""),
    ],
)
def test_what_does_not_fit_is_refused(words, message, hint, configure):
    with pytest.raises(ConfigError) as caught:
        configure(*words.split())
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_numbers_need_another_decoder():
    spec = DataSpec((4,), "none")
    with pytest.raises(ConfigError, match=r"for inputs in \[0, 1\] \(pixels\), but these are not bounded") as caught:
        make_task(spec)
    assert caught.value.hint == "loss=gaussian"
    assert math.isfinite(
        evaluate(make_task(spec, Gaussian(spec)), [Batch(torch.randn(6, 4), torch.zeros(6), 6)])["loss"]
    )


def test_less_of_all_that_is_measured_is_better():
    task = make_task(num_importance_samples=2)
    for name in [*evaluate(task, [BATCH]), "grey_neg_elbo", "grey_nll_2"]:
        assert declared_direction(f"val/{name}") == "min", name
    assert declared_direction("val/accuracy") == declared_direction("test/f1_macro") == "max"
