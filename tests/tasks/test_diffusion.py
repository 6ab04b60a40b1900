"""Diffusion against its equations, and the sampler against Algorithm 2 and closed forms."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import nn

from dltool.config.check import Config
from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.engine.evaluator import evaluate
from dltool.models.unet import UNet
from dltool.tasks.diffusion import DiffusionTask, noise_of
from dltool.tasks.noise_schedule import NoiseSchedule, cosine_betas, linear_betas

SPEC = DataSpec((1, 4, 4), class_names=("a", "b"), input_range=(-1, 1))
UNBOUNDED = DataSpec((1, 4, 4), class_names=("a", "b"))
IMAGES = torch.rand(50, 1, 4, 4, generator=torch.Generator().manual_seed(2)) * 2 - 1
LABELS = torch.arange(50) % 2
BATCH = Batch(IMAGES, LABELS, 50)


def make_task(condition="none", spec=SPEC, **settings):
    torch.manual_seed(0)
    model = UNet(spec, width=8, multipliers=[1, 2], blocks=1, condition=condition)
    for parameter in model.parameters():  # The last layers are zero initially.
        nn.init.normal_(parameter, std=0.2)
    return DiffusionTask(model, None, spec, **settings)


class Predictor(nn.Module):
    """A network in closed form: the expected noise in x_t for images from N(mean of the class, std²)."""

    num_classes = 2

    def __init__(self, schedule: NoiseSchedule, std: float, means=(0.0, 0.0, 0.0)) -> None:
        super().__init__()
        self.schedule, self.std, self.means = schedule, std, torch.tensor(means)
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, images, times, labels=None):
        a, b = self.schedule.at((times * self.schedule.num_timesteps).round().long(), images)
        mean = self.means[torch.full((len(images),), 2) if labels is None else labels].view(-1, 1, 1, 1)
        return b * (images - a * mean) / (a**2 * self.std**2 + b**2)


def with_predictor(std=0.5, means=(0.0, 0.0, 0.0), spec=UNBOUNDED, **settings):
    schedule = NoiseSchedule(settings.get("noise", "cosine"), settings.get("num_timesteps", 1000))
    return DiffusionTask(Predictor(schedule, std, means), None, spec, **settings)


def test_schedules():
    betas = linear_betas(1000)
    assert (float(betas[0]), float(betas[-1])) == pytest.approx((1e-4, 0.02))
    linear = NoiseSchedule("linear", 1000)
    assert float(linear.signal[-1] ** 2) == pytest.approx(float((1 - betas).prod()), rel=1e-5)
    assert float(linear.signal[-1] ** 2) == pytest.approx(4.04e-5, rel=0.01)  # KL(q(x_T) ‖ N(0, I)) ≈ 1e-5 bits.
    cosine = NoiseSchedule("cosine", 1000)
    share = math.cos((0.5 + 0.008) / 1.008 * math.pi / 2) ** 2 / math.cos(0.008 / 1.008 * math.pi / 2) ** 2
    assert float(cosine.signal[500] ** 2) == pytest.approx(share, rel=1e-5)
    assert float(cosine_betas(1000).max()) == 0.999
    for schedule in (linear, cosine, NoiseSchedule("linear", 10), NoiseSchedule("cosine", 1)):
        assert (schedule.signal[0], schedule.noise[0]) == (1, 0)
        assert torch.allclose(schedule.signal**2 + schedule.noise**2, torch.ones(()))
        assert (schedule.signal.diff() < 0).all()
        assert schedule.noise[-1] > 0.99 or schedule.num_timesteps == 1


def test_steps_of_a_sampler():
    schedule = NoiseSchedule("cosine", 1000)
    assert schedule.subset(1000) == [*range(1000, -1, -1)]
    assert schedule.subset(1) == [1000, 0]
    assert schedule.subset(4) == [1000, 667, 334, 1, 0]
    assert all(a > b for a, b in pairwise(NoiseSchedule("linear", 7).subset(7)))


@pytest.mark.parametrize("prediction", ["epsilon", "x", "v"])
def test_the_loss_by_hand(prediction):
    task = make_task("class", prediction=prediction, class_dropout=0.3)
    torch.manual_seed(5)
    loss = task.loss(BATCH)
    torch.manual_seed(5)
    times = torch.randint(1, 1001, (50,))
    noise = torch.randn(IMAGES.shape)
    labels = torch.where(torch.rand(50) < 0.3, 2, LABELS)
    assert 0 < int((labels == 2).sum()) < 50
    a = task.schedule.signal[times].view(-1, 1, 1, 1)
    b = (1 - a**2).sqrt()
    output = task.model(a * IMAGES + b * noise, times / 1000, labels)
    target = {"epsilon": noise, "x": IMAGES, "v": a * noise - b * IMAGES}[prediction]
    assert torch.allclose(loss.mean, (output - target).square().mean(), atol=1e-5)
    assert loss.count == 50


@pytest.mark.parametrize("prediction", ["epsilon", "x", "v"])
def test_all_predictions_name_the_same_noise(prediction):
    task = make_task(prediction=prediction)
    times, noise = torch.tensor([1, 300, 700, 990, 1000] * 10), torch.randn(IMAGES.shape)
    a, b = task.schedule.at(times, IMAGES)
    output = {"epsilon": noise, "x": IMAGES, "v": a * noise - b * IMAGES}[prediction]
    task.predicted = lambda *_: output
    assert torch.allclose(task.noise_in(a * IMAGES + b * noise, times, None), noise, atol=2e-3)


def test_eta_1_and_all_steps_are_algorithm_2():
    task = with_predictor(num_timesteps=20, noise="linear")
    codes = torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    draw, x = noise_of(codes), codes
    betas = linear_betas(20).float()
    alphas, products = 1 - betas, (1 - betas).cumprod(0)
    for t in range(20, 0, -1):
        beta, alpha, product = betas[t - 1], alphas[t - 1], products[t - 1]
        before = products[t - 2] if t > 1 else torch.ones(())
        epsilon = task.model(x, torch.full((3,), t / 20))
        z = draw(x)
        x = (x - beta / (1 - product).sqrt() * epsilon) / alpha.sqrt()
        if t > 1:
            x = x + (beta * (1 - before) / (1 - product)).sqrt() * z
    assert torch.allclose(task.decode(codes, eta=1.0, steps=20), x, atol=1e-4)


@pytest.mark.parametrize(("eta", "tolerance"), [(0.0, 0.02), (1.0, 0.06)])
def test_samples_have_the_distribution_of_the_data(eta, tolerance):
    """Images from N(0, 0.5²), whose expected noise is known in closed form."""
    task = with_predictor(std=0.5)
    codes = task.draw_codes(400, torch.Generator().manual_seed(0))
    samples = task.decode(codes, eta=eta, steps=200)
    assert float(samples.std()) == pytest.approx(0.5 * float(codes.std()), rel=tolerance)
    if eta == 0:  # Deterministic, so the map is a multiplication.
        assert torch.allclose(samples, float(samples.std() / codes.std()) * codes, atol=1e-3)


def test_guidance_by_hand_and_its_effect():
    task = with_predictor(std=0.5, means=(-1.0, 1.0, 0.0), num_timesteps=50)
    x, times = torch.randn(4, 1, 4, 4), torch.full((4,), 30)
    labels = torch.tensor([0, 1, 0, 1])
    a, b = task.schedule.signal[30], task.schedule.noise[30]
    with_class, without = task.model(x, times / 50, labels), task.model(x, times / 50)
    guided = (x - b * (3 * with_class - 2 * without)) / a
    assert torch.allclose(task.denoised(x, 30, labels, 2.0), guided, atol=1e-5)
    codes = task.draw_codes(64, torch.Generator().manual_seed(0))
    ones = torch.ones(64, dtype=torch.int64)
    means = [float(task.decode(codes, ones, guidance=w, steps=50).mean()) for w in (0.0, 1.0, 2.0)]
    assert means[0] == pytest.approx(1.0, abs=0.1)
    assert means[0] < means[1] < means[2]


@pytest.mark.parametrize("condition", ["none", "class"])
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_a_sample_depends_on_its_code_alone(condition, eta):
    task = make_task(condition)
    codes = task.draw_codes(5, torch.Generator().manual_seed(0))
    labels = task.cycle_labels(5, codes.device)
    together = task.decode(codes, labels, eta=eta, steps=4)
    torch.manual_seed(99)
    alone = task.decode(codes[3:4], None if labels is None else labels[3:4], eta=eta, steps=4)
    assert torch.allclose(alone[0], together[3], atol=1e-4)
    assert together.shape == (5, 1, 4, 4)
    assert together.abs().max() <= 1
    noisy = task.decode(codes, labels, eta=1 - eta, steps=4)
    assert not torch.allclose(noisy, together, atol=1e-3)


def test_an_evaluation_is_the_same_for_any_batch_size_and_does_not_hide_classes():
    task = make_task("class", class_dropout=1.0)
    sizes = {}
    for size in (50, 7):
        batches = [Batch(IMAGES[i : i + size], LABELS[i : i + size], size) for i in range(0, 50, size)]
        sizes[size] = evaluate(task, batches)["loss"]
    assert sizes[50] == pytest.approx(sizes[7], rel=1e-5)
    hidden = task.denoising_loss(IMAGES, torch.full((50,), 300), IMAGES, torch.full((50,), 2))
    assert hidden != task.denoising_loss(IMAGES, torch.full((50,), 300), IMAGES, LABELS)


@pytest.mark.parametrize("condition", ["none", "class"])
def test_the_exported_network_is_that_of_a_step(condition):
    task = make_task(condition)
    (network,) = task.networks.values()
    inputs = network.noise(5)
    assert torch.equal(inputs, network.noise(5))
    images, times = inputs[:, :1], torch.linspace(1, 0, 5)
    labels = task.cycle_labels(5, images.device)
    assert torch.allclose(network.module(inputs), task.model(images, times, labels), atol=1e-6)
    if labels is not None:
        no_class = inputs.clone()
        no_class[:, 2:] = 0
        assert torch.allclose(network.module(no_class), task.model(images, times), atol=1e-6)


def test_what_a_training_does_not_allow():
    with pytest.raises(ConfigError, match="guidance=2: the model was not trained both with and without classes"):
        make_task().decode(torch.zeros(1, 1, 4, 4), guidance=2.0)
    with pytest.raises(ConfigError, match="steps=51: the training had 50 time steps"):
        make_task(num_timesteps=50).decode(torch.zeros(1, 1, 4, 4), steps=51)


def test_the_figure_of_the_denoising():
    table = make_task().image_tables()["denoising"]()
    assert table.images.shape == (6, 10, 1, 4, 4)
    assert (table.column_names[0], table.column_names[-1]) == ("t=1000", "t=0")
    assert torch.equal(table.images[0, -1], table.images[1, -1])  # x_0 is its own prediction.
    few = make_task(sampling_steps=3).image_tables()["denoising"]()
    assert list(few.column_names) == ["t=1000", "t=500", "t=1", "t=0"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["task.guidance=1"], "task.guidance compares predictions with and without a class"),
        (["task.sampling_steps=2000"], "task.sampling_steps is more than task.num_timesteps"),
        (["data=iris"], "model=unet takes images"),
        (["model.condition=class", "data=gaussians"], "model=unet takes images"),
        (["model.multipliers=[]"], "model.multipliers has no level"),
        (["model.width=9"], "model.width must be even"),
        (["loss=mse"], "task=diffusion has no loss"),
        (["data.augment.mixup=0.4"], "mixup"),
    ],
)
def test_rules(overrides: list[str], message: str, configure: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError, match=message):
        configure("model=unet", *overrides)
