import copy
import math

import pytest
import torch
import torch.nn.functional as F

from dltool.core.batch import Batch
from dltool.core.randomness import generator
from dltool.core.spec import DataSpec
from dltool.losses.minimax import Minimax
from dltool.losses.non_saturating import NonSaturating
from dltool.losses.relativistic import Relativistic
from dltool.losses.wasserstein import Wasserstein
from dltool.losses.wasserstein_gp import WassersteinGp
from dltool.models.dcgan import Dcgan
from dltool.models.gan import Gan
from dltool.tasks.gan import GanTask

RING = tuple((math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8))
SPEC = DataSpec((2,), "none", centers=RING, center_std=0.05)
DATA = torch.randn(30, 16, 2, generator=torch.Generator().manual_seed(1))


class Source:
    def __init__(self):
        self.drawn = 0

    def draw(self):
        inputs = DATA[self.drawn]
        self.drawn += 1
        return Batch(inputs, torch.zeros(len(inputs)), len(inputs))


class PlainUpdater:
    """zero_grad, backward, step, in `num_parts` micro-batches."""

    def __init__(self, module, num_parts=1):
        self.optimizer = torch.optim.Adam(module.parameters(), lr=1e-2, betas=(0.5, 0.999))
        self.num_parts = num_parts

    def minimize(self, loss, batch):
        self.optimizer.zero_grad()
        for part in batch.split(self.num_parts):
            result = loss(part)
            (result.mean * result.count / batch.size).backward()
        self.optimizer.step()
        return result.logs


def small_gan():
    torch.manual_seed(0)
    return Gan(SPEC, latent_dim=3, generator_hidden=[8], discriminator_hidden=[8], discriminator_dropout=0.2)


def by_hand(model, discriminator_steps, saturating, steps):
    """The alternating loop as one writes it without dltool."""
    generator, discriminator = model.generator, model.discriminator
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-2, betas=(0.5, 0.999))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-2, betas=(0.5, 0.999))
    ones, zeros, data = torch.ones(16), torch.zeros(16), iter(DATA)
    for _ in range(steps):
        for _ in range(discriminator_steps):
            d_optimizer.zero_grad()
            real = next(data)
            fake = generator(torch.randn(16, 3)).detach()
            loss = F.binary_cross_entropy_with_logits(discriminator(real), ones)
            loss = loss + F.binary_cross_entropy_with_logits(discriminator(fake), zeros)
            loss.backward()
            d_optimizer.step()
        g_optimizer.zero_grad()
        logits = discriminator(generator(torch.randn(16, 3)))
        if saturating:
            g_loss = -F.binary_cross_entropy_with_logits(logits, zeros)
        else:
            g_loss = F.binary_cross_entropy_with_logits(logits, ones)
        g_loss.backward()
        g_optimizer.step()


@pytest.mark.parametrize("discriminator_steps", [1, 3])
@pytest.mark.parametrize("loss_class", [Minimax, NonSaturating])
def test_equals_a_hand_written_alternating_loop(discriminator_steps, loss_class):
    model = small_gan()
    reference = copy.deepcopy(model)
    task = GanTask(model, loss_class(SPEC), SPEC, discriminator_steps=discriminator_steps)
    source, updaters = Source(), {role: PlainUpdater(module) for role, module in task.roles.items()}
    torch.manual_seed(5)
    for _ in range(10):
        task.train_step(source, updaters)
    assert source.drawn == 10 * task.draws_per_step
    torch.manual_seed(5)
    by_hand(reference, discriminator_steps, loss_class is Minimax, 10)
    torch.testing.assert_close(model.state_dict(), reference.state_dict(), atol=1e-6, rtol=0)
    assert not torch.equal(model.generator[0].weight, small_gan().generator[0].weight)


def test_each_step_moves_its_own_player_only():
    task = GanTask(small_gan(), NonSaturating(SPEC), SPEC)
    before = copy.deepcopy(task.model.state_dict())
    PlainUpdater(task.discriminator).minimize(task.discriminator_loss, Source().draw())
    assert all(parameter.grad is None for parameter in task.generator.parameters())
    PlainUpdater(task.generator, num_parts=3).minimize(task.generator_loss, Source().draw())
    changed = {name for name, value in task.model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == set(before)


def test_logs_by_hand():
    task = GanTask(small_gan().eval(), NonSaturating(SPEC), SPEC)
    batch = Source().draw()
    torch.manual_seed(3)
    logs = task.discriminator_loss(batch).logs
    torch.manual_seed(3)
    real, fake = task.discriminator(batch.inputs), task.discriminator(task.generator(torch.randn(16, 3)))
    assert logs["d_real"].value() == pytest.approx(real.sigmoid().mean().item())
    assert logs["d_fake"].value() == pytest.approx(fake.sigmoid().mean().item())
    right = (real.sigmoid() > 0.5).sum() + (fake.sigmoid() <= 0.5).sum()
    assert logs["d_accuracy"].value() == right.item() / 32
    assert set(task.train_step(Source(), {r: PlainUpdater(m) for r, m in task.roles.items()})) == {
        *("d_loss", "g_loss", "d_real", "d_fake", "d_accuracy", "js")
    }


def test_evaluation_and_samples_are_the_same_whatever_was_drawn_before():
    task = GanTask(small_gan(), NonSaturating(SPEC), SPEC)
    task.model.train()
    samples = task.samples(5)
    assert samples.shape == (5, 2)
    assert not samples.requires_grad
    assert task.generator.training
    task.model.eval()
    values = [mean.value() for mean in task.evaluate(Source().draw()).values()]
    torch.randn(7)
    assert torch.equal(task.samples(5), samples)
    assert [mean.value() for mean in task.evaluate(Source().draw()).values()] == values


def test_modes_after_an_evaluation_where_they_are_known():
    model = small_gan()
    with torch.no_grad():  # A collapsed generator: every z goes to the first center.
        model.generator[-2].weight.zero_()
        model.generator[-2].bias.copy_(torch.tensor(RING[0]))
    assert GanTask(model, NonSaturating(SPEC), SPEC).finish_evaluation({"d_loss": 1.0}) == {
        "d_loss": 1.0,
        "modes": 1.0,
        "high_quality": 1.0,
    }
    unknown = DataSpec((2,), "none")
    assert GanTask(model, NonSaturating(unknown), unknown).finish_evaluation({}) == {}


def test_another_order_of_steps_is_a_few_lines():
    class GeneratorFirst(GanTask):
        def train_step(self, source, updaters):
            batch = source.draw()
            logs = updaters["generator"].minimize(self.generator_loss, batch)
            return {**logs, **updaters["discriminator"].minimize(self.discriminator_loss, batch)}

    task = GeneratorFirst(small_gan(), NonSaturating(SPEC), SPEC)
    assert "g_loss" in task.train_step(Source(), {r: PlainUpdater(m) for r, m in task.roles.items()})


IMAGES = DataSpec((1, 8, 8), "classes", class_names=("a", "b", "c"), input_range=(-1.0, 1.0))


class ImageSource:
    def __init__(self):
        self.drawn = 0

    def draw(self):
        self.drawn += 1
        inputs = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(self.drawn))
        return Batch(2 * inputs - 1, torch.tensor([0, 1, 2, 0, 1, 2]), 6)


def small_dcgan(**how):
    torch.manual_seed(0)
    return Dcgan(IMAGES, latent_dim=3, generator_width=2, discriminator_width=2, **how)


def updaters_of(task, num_parts=1):
    return {role: PlainUpdater(module, num_parts) for role, module in task.roles.items()}


def test_the_loss_says_how_often_the_critic_steps():
    loss = Wasserstein(IMAGES, critic_steps=2, burst_steps=4, num_first_bursts=1, burst_every_n_steps=3)
    task, source, drawn = GanTask(small_dcgan(), loss, IMAGES), ImageSource(), []
    for _ in range(5):
        before = source.drawn
        task.train_step(source, updaters_of(task))
        drawn.append(source.drawn - before)
    assert drawn == [4, 2, 2, 4, 2]
    assert (task.draws_per_step, task.num_steps) == (2, 5)
    told = GanTask(small_dcgan(), loss, IMAGES, discriminator_steps=3)
    told.train_step(source := ImageSource(), updaters_of(told))
    assert (source.drawn, told.draws_per_step) == (3, 3)


def test_weights_are_clipped_before_the_critics_step():
    task = GanTask(small_dcgan(), Wasserstein(IMAGES, critic_steps=1, num_first_bursts=0), IMAGES)
    seen = []
    minimize = PlainUpdater.minimize

    class Looking(PlainUpdater):
        def minimize(self, loss, batch):
            seen.append(max(p.abs().max().item() for p in task.discriminator.parameters()))
            return minimize(self, loss, batch)

    task.train_step(ImageSource(), {"discriminator": Looking(task.discriminator), "generator": Looking(task.generator)})
    assert seen[0] == pytest.approx(0.01)
    assert seen[1] > 0.01  # G sees what the step made of them.


def test_the_penalty_is_part_of_the_critics_loss_and_logged_apart():
    task = GanTask(small_dcgan(discriminator_norm="layer"), WassersteinGp(IMAGES), IMAGES)
    batch = ImageSource().draw()
    torch.manual_seed(5)
    mean, count, logs = task.discriminator_loss(batch)
    assert count == 6
    assert mean.item() == pytest.approx(logs["d_loss"].value() + logs["penalty"].value(), rel=1e-5)
    assert logs["d_loss"].value() == pytest.approx(-logs["wasserstein"].value(), rel=1e-4)


def test_a_conditional_model_gets_the_labels():
    task = GanTask(small_dcgan(condition="every_layer"), NonSaturating(IMAGES), IMAGES)
    assert task.num_classes == 3
    logs = task.train_step(ImageSource(), updaters_of(task, num_parts=2))
    assert logs["d_accuracy"].value() <= 1
    samples = task.samples(6)
    assert torch.equal(samples, task.decode(task.draw_codes(6, generator(0, "samples")), torch.arange(6) % 3))
    others = task.decode(task.draw_codes(6, generator(0, "samples")), torch.ones(6).long())
    assert not torch.equal(samples[0], others[0])
    drawn, labels = task.draw(5)
    assert drawn.shape == (5, 1, 8, 8)
    assert labels.tolist() == [0, 1, 2, 0, 1]
    assert list(task.networks) == ["generator"]


def test_a_relativistic_generator_is_told_of_the_data():
    task = GanTask(small_dcgan(discriminator_norm=None), Relativistic(IMAGES), IMAGES)
    batch = ImageSource().draw()
    torch.manual_seed(1)
    loss = task.generator_loss(batch).mean
    torch.manual_seed(1)
    fake, real = task.discriminator(task.generator(torch.randn(6, 3))), task.discriminator(batch.inputs)
    assert loss.item() == pytest.approx(F.softplus(real - fake).mean().item(), abs=1e-6)
    assert set(task.evaluate(batch)) == {"d_loss", "g_loss", "d_real", "d_fake", "d_accuracy"}


def test_samples_are_cut_off_where_the_data_ends():
    spec = DataSpec((2,), "none", input_range=(-0.1, 0.2))
    task = GanTask(small_gan(), NonSaturating(spec), spec)  # Its generator knows of no range.
    samples = task.samples(50)
    assert (samples.min().item(), samples.max().item()) == pytest.approx((-0.1, 0.2))
