import pytest
import torch
from torch import nn

from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.losses.non_saturating import NonSaturating
from dltool.models.stylegan2 import StyleGan2
from dltool.tasks.stylegan2 import StyleGan2Task

SPEC = DataSpec((1, 8, 8), class_names=("a", "b", "c"), input_range=(-1.0, 1.0))


def batch(size=6):
    inputs = torch.rand(size, 1, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return Batch(inputs, torch.arange(size) % 3, size)


def small(condition="input", **fields):
    torch.manual_seed(0)
    model = StyleGan2(SPEC, condition=condition, latent_dim=4, w_dim=5, mapping_layers=1, width=4, max_width=8)
    return StyleGan2Task(model, NonSaturating(SPEC), SPEC, **fields)


class Source:
    def draw(self):
        return batch()


class Recorder:
    """Which losses an updater is asked to minimize; it takes no step."""

    def __init__(self, calls):
        self.calls = calls

    def minimize(self, loss, batch):
        self.calls.append(loss.__name__)
        return loss(batch).logs


def test_penalties_are_due_at_every_16th_and_every_4th_step():
    task, calls = small(), []
    updaters = {"discriminator": Recorder(calls), "generator": Recorder(calls)}
    for step in range(34):
        calls.clear()
        logs = task.train_step(Source(), updaters)
        due = ["discriminator_loss", *["r1_loss"] * (step % 16 == 0)]
        assert calls == [*due, "generator_loss", *["path_length_loss"] * (step % 4 == 0)]
        assert ("r1" in logs, "path_length" in logs) == (step % 16 == 0, step % 4 == 0)
    task.r1 = task.path_length = 0.0
    calls.clear()
    task.num_steps = 64
    task.train_step(Source(), updaters)
    assert calls == ["discriminator_loss", "generator_loss"]


def test_a_run_goes_on_with_the_schedule_and_the_mean_it_had():
    task = small()
    task.num_steps, task.path_length_mean = 7, torch.tensor(0.4)
    again = small()
    again.load_state_dict(task.state_dict())
    assert (again.num_steps, again.path_length_mean.item()) == (7, pytest.approx(0.4))


def test_r1_by_hand():
    """D(x) = the sum of 3x has a gradient of 3 in each of 64 pixels; γ/2 of its square, 16 times."""
    task = small("none", r1=0.5)

    class Sum(nn.Module):
        def forward(self, images):
            return 3 * images.sum(dim=(1, 2, 3))

    task.model.discriminator = Sum()
    loss = task.r1_loss(batch())
    assert loss.mean.item() == pytest.approx(16 * 0.25 * 9 * 64)
    assert loss.logs["r1"].value() == pytest.approx(0.25 * 9 * 64)
    assert loss.count == 6


class LinearSynthesis(nn.Module):
    """x = A w̄, of the mean over the layers: |Jᵀy| is known."""

    def __init__(self, num_layers=4):
        super().__init__()
        self.num_layers = num_layers
        self.weight = nn.Parameter(torch.randn(64, 5))

    def forward(self, styles):
        return (styles.mean(dim=1) @ self.weight.T).view(-1, 1, 8, 8)


def test_path_lengths_of_a_linear_synthesis():
    """Each layer's gradient is Aᵀy / L, so that the length is the root of the mean over L of |Aᵀy|² / L²."""
    task = small("none", path_length=3.0, path_length_decay=0.25, style_mixing=0.0)
    synthesis = task.synthesis = task.model.generator.synthesis = LinearSynthesis()
    torch.manual_seed(4)
    loss = task.path_length_loss(batch(6))
    torch.manual_seed(4)
    torch.randn(3, 4)  # z of half a batch.
    noise = torch.randn(3, 64) / 8
    lengths = (noise @ synthesis.weight).norm(dim=1) / 4
    mean = lengths.mean().detach()  # The first mean is the running one.
    assert loss.count == 3
    assert task.path_length_mean.item() == pytest.approx(mean.item(), rel=1e-5)
    assert loss.logs["path_length"].value() == pytest.approx(lengths.mean().item(), rel=1e-5)
    penalty = (lengths - mean).square().mean()
    assert loss.mean.item() == pytest.approx(4 * 3 * penalty.item(), rel=1e-4)
    (expected,) = torch.autograd.grad(12 * (lengths - mean).square().mean(), synthesis.weight)
    (gradient,) = torch.autograd.grad(loss.mean, synthesis.weight)
    torch.testing.assert_close(gradient, expected, atol=1e-5, rtol=1e-4)
    second = task.path_length_loss(batch(6)).logs["path_length"].value()
    assert task.path_length_mean.item() == pytest.approx(0.75 * mean.item() + 0.25 * second, rel=1e-5)
    assert not task.path_length_mean.requires_grad


def test_penalties_are_in_float32_under_autocast():
    """And of the same value as without, for the same noise."""
    task = small()
    for loss in (task.r1_loss, task.path_length_loss):
        task.path_length_mean = torch.zeros(())
        torch.manual_seed(3)
        exact = loss(batch()).mean
        task.path_length_mean = torch.zeros(())
        torch.manual_seed(3)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = loss(batch()).mean
        assert mixed.dtype == torch.float32
        assert mixed.item() == pytest.approx(exact.item(), rel=1e-6)
    with torch.autocast("cpu", torch.bfloat16):
        assert task.discriminator_loss(batch()).mean.isfinite()
        task.generator_loss(batch()).mean.backward()


def test_every_phase_gives_its_player_a_gradient():
    task = small()
    for loss, module in (
        (task.discriminator_loss, task.discriminator),
        (task.r1_loss, task.discriminator),
        (task.generator_loss, task.generator),
        (task.path_length_loss, task.generator),
    ):
        module.zero_grad()
        loss(batch()).mean.backward()
        assert sum(p.grad.abs().sum() for p in module.parameters() if p.grad is not None) > 0, loss.__name__


def test_the_mean_style_follows_the_training_only():
    task = small()
    task.samples(4)
    task.evaluate(batch())
    assert not task.generator.w_average.any()
    task.discriminator_loss(batch())
    assert task.generator.w_average.any(dim=1).all()


def test_truncated_to_zero_all_codes_give_the_image_of_the_mean():
    task = small()
    task.discriminator_loss(batch())
    codes, labels = task.draw_codes(4), torch.tensor([1, 1, 2, 2])
    images = task.decode(codes, labels, truncation=0.0)
    torch.testing.assert_close(images[0], images[1], atol=1e-6, rtol=0)
    assert (images[1] - images[2]).abs().max() > 1e-4
    whole = task.decode(codes, labels)
    assert torch.equal(whole, task.decode(codes, labels, truncation=1.0))
    assert (whole[0] - whole[1]).abs().max() > 1e-4
    half = task.decode(codes, labels, truncation=0.5)
    assert (half - images).norm() < (whole - images).norm()


def test_samples_are_the_same_whatever_was_drawn_before():
    task = small()
    for layer in task.synthesis.layers:
        layer.noise_strength.data.fill_(0.5)
    first = task.samples(5)
    assert first.abs().max() <= 1
    torch.randn(9)
    assert torch.equal(task.samples(5), first)
    assert task.generator.training


def test_interpolation_is_a_line_in_w():
    task = small()
    start, end = task.draw_codes(2)
    labels = torch.tensor([2, 2, 2])
    images = task.interpolate(start, end, torch.tensor([0.0, 0.5, 1.0]), labels)
    torch.testing.assert_close(images[[0, 2]], task.decode(torch.stack([start, end]), labels[:2]))
    codes = task.model.codes(torch.stack([start, end]), labels[:2])
    middle = task.mapping(codes).mean(dim=0, keepdim=True)
    torch.testing.assert_close(images[1:2], task.render(middle))


def test_fakes_of_an_unmixed_task_have_one_style():
    task = small(style_mixing=0.0)
    styles = task.styles(batch())
    assert torch.equal(styles, styles[:, :1].expand_as(styles))
    mixed = small(style_mixing=1.0).styles(batch())
    assert (mixed[:, 0] != mixed[:, -1]).any(dim=1).all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["model=gan", "task=stylegan2"], "task=stylegan2 mixes styles .* the model has no styles"),
        (["model=stylegan2", "data.augment.mixup=0.4"], "mix classes, and task=stylegan2 cannot learn from"),
        (["model=stylegan2", "loss=cross_entropy"], "loss=cross_entropy does not fit task=stylegan2"),
        (["model=stylegan2", "data=moons"], "model=stylegan2 takes images"),
    ],
)
def test_what_does_not_go_together(words, message, configure):
    with pytest.raises(ConfigError, match=message):
        configure(*words)


def test_the_optimizer_is_corrected_for_its_lazy_steps(configure):
    """Betas to the power and the learning rate times n / (n + 1), of the task's own periods."""
    config = configure("model=stylegan2")
    periods = {"discriminator": "r1_every_n_steps", "generator": "path_length_every_n_steps"}
    for role, period in periods.items():
        n = config["task"][period]
        fields = config["optim"]["roles"][role]
        assert fields["lr"] == pytest.approx(config["optim"]["lr"] * n / (n + 1), rel=1e-5)
        assert fields["betas"] == pytest.approx([b ** (n / (n + 1)) for b in config["optim"]["betas"]], rel=1e-6)


def test_the_experiment_s_rates_are_those_of_a_hundredth(configure):
    roles = configure("experiment=stylegan2_mnist", "data.root=nowhere")["optim"]["roles"]
    assert roles["discriminator"]["lr"] == pytest.approx(0.01 * 16 / 17, rel=1e-5)
    assert roles["generator"]["lr"] == pytest.approx(0.01 * 4 / 5)
