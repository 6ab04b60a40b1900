import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.engine.compiling import compile_networks
from dltool.models.cyclegan import CycleGan
from dltool.tasks.cyclegan import CycleGanTask

SPEC = DataSpec((1, 16, 16), "images", tuple("ab"), input_range=(-1.0, 1.0))


def made_task(**fields: float) -> CycleGanTask:
    torch.manual_seed(0)
    return CycleGanTask(CycleGan(SPEC, width=2, blocks=1, discriminator_width=2), None, SPEC, **fields)


def made_batch(seed: int, size: int = 4) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    a, b = (torch.rand(size, 1, 16, 16, generator=rng) * 2 - 1 for _ in range(2))
    return Batch(a, b, size)


class Source:
    def __init__(self) -> None:
        self.drawn = 0

    def draw(self) -> Batch:
        self.drawn += 1
        return made_batch(self.drawn)


class PlainUpdater:
    """zero_grad, backward, step, in `num_parts` micro-batches."""

    def __init__(self, module: nn.Module, num_parts: int = 1) -> None:
        self.optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
        self.num_parts = num_parts

    def minimize(self, loss, batch):
        self.optimizer.zero_grad()
        for part in batch.split(self.num_parts):
            result = loss(part)
            (result.mean * result.count / batch.size).backward()
        self.optimizer.step()
        return result.logs

    def joined(self, rows, batch):
        return rows


def by_hand(model: CycleGan, steps: int) -> None:
    """The authors' optimize_parameters, as one writes it without dltool and without the pool."""
    a2b, b2a = model.generators["A2B"], model.generators["B2A"]
    discriminator_a, discriminator_b = model.discriminators["A"], model.discriminators["B"]
    g_optimizer = torch.optim.SGD(model.generators.parameters(), lr=0.05)
    d_optimizer = torch.optim.SGD(model.discriminators.parameters(), lr=0.05)

    def real(scores):
        return F.mse_loss(scores, torch.ones_like(scores))

    def false(scores):
        return F.mse_loss(scores, torch.zeros_like(scores))

    for step in range(1, steps + 1):
        a, b = made_batch(step)[:2]
        fake_b, fake_a = a2b(a), b2a(b)
        g_optimizer.zero_grad()
        loss = real(discriminator_b(fake_b)) + real(discriminator_a(fake_a))
        loss = loss + 10 * F.l1_loss(b2a(fake_b), a) + 10 * F.l1_loss(a2b(fake_a), b)
        loss = loss + 5 * F.l1_loss(a2b(b), b) + 5 * F.l1_loss(b2a(a), a)
        loss.backward()
        g_optimizer.step()
        d_optimizer.zero_grad()
        (0.5 * (real(discriminator_a(a)) + false(discriminator_a(fake_a.detach())))).backward()
        (0.5 * (real(discriminator_b(b)) + false(discriminator_b(fake_b.detach())))).backward()
        d_optimizer.step()


@pytest.mark.parametrize("num_parts", [1, 3])
def test_equals_the_authors_order_written_by_hand(num_parts: int) -> None:
    task = made_task(pool_size=0)
    reference = copy.deepcopy(task.model)
    source, updaters = Source(), {role: PlainUpdater(module, num_parts) for role, module in task.roles.items()}
    for _ in range(2):  # More would make rounding visible: the game is chaotic.
        task.train_step(source, updaters)
    assert source.drawn == 2 * task.draws_per_step
    by_hand(reference, 2)
    torch.testing.assert_close(task.model.state_dict(), reference.state_dict(), atol=2e-5, rtol=0)


def test_a_step_is_of_one_role_alone(configure: Callable[..., Config]) -> None:
    """With the trainer's own updaters: discriminators do not move with the generators, nor get gradients."""
    words = ["model=cyclegan", "data=digit_pairs", "data.resize=16", "model.width=2", "model.blocks=1"]
    parts = prepare(configure(*words, "model.discriminator_width=2", "data.batch_size=2"))
    task, updaters = parts.task, parts.updaters
    assert isinstance(task, CycleGanTask)
    assert set(updaters) == {"generators", "discriminators"}
    before = copy.deepcopy(task.model.state_dict())
    updaters["generators"].minimize(task.generators_loss, parts.dataset.train.draw())
    changed = {
        key.split(".")[0] for key, value in task.model.state_dict().items() if not torch.equal(value, before[key])
    }
    assert changed == {"generators"}
    assert all(p.grad is None for p in task.model.discriminators.parameters())
    assert all(p.grad is not None for p in task.model.generators.parameters())


def test_losses_by_hand() -> None:
    task, batch = made_task(identity_weight=0.0, cycle_weight=3.0), made_batch(1)
    task.a2b = task.b2a = nn.Identity()
    task.discriminator_a = task.discriminator_b = lambda images: images.mean((1, 2, 3)).view(-1, 1, 1, 1)  # type: ignore[assignment]
    a, b = (images.mean((1, 2, 3)) for images in batch[:2])
    loss = task.generators_loss(batch)
    assert loss.mean.item() == pytest.approx(((a - 1) ** 2 + (b - 1) ** 2).mean().item())
    assert "identity_l1" not in loss.logs
    shown = Batch(torch.stack([batch.inputs, -batch.inputs], 1), torch.stack([batch.targets, -batch.targets], 1), 4)
    expected = 0.5 * ((a - 1) ** 2 + a**2 + (b - 1) ** 2 + b**2).mean()
    assert task.discriminators_loss(shown).mean.item() == pytest.approx(expected.item())

    task.a2b = lambda images: images + 0.25  # type: ignore[assignment]
    shifted = task.generators_loss(batch)
    # There and back is 0.25 off in both directions, in [-1, 1]; half of that in [0, 1].
    adversarial = ((a + 0.25 - 1) ** 2 + (b - 1) ** 2).mean().item()
    assert shifted.mean.item() == pytest.approx(adversarial + 3 * 0.5, rel=1e-5)
    assert shifted.logs["cycle_l1"].value() == pytest.approx(0.125)


def test_the_pool_holds_both_domains_fakes_and_is_restored() -> None:
    task = made_task(pool_size=6)
    updaters = {role: PlainUpdater(module) for role, module in task.roles.items()}
    source = Source()
    for _ in range(2):
        task.train_step(source, updaters)
    state = task.state_dict()
    assert state["pool_a"].shape == state["pool_b"].shape == (6, 1, 16, 16)
    other = made_task(pool_size=6)
    other.load_state_dict(state)
    assert torch.equal(other.pool_a.images, state["pool_a"])
    assert not torch.equal(state["pool_a"], state["pool_b"])


def test_evaluation_of_domains_that_differ_in_number() -> None:
    task = made_task()
    task.model.eval()
    whole, rest = made_batch(1, 4), made_batch(2, 2)
    rest = Batch(rest.inputs[:0], rest.targets, 2)
    with torch.no_grad():
        logs = [task.evaluate(whole), task.evaluate(rest)]
    assert "cycle_l1_a" not in logs[1]
    assert logs[0]["cycle_l1_b"].count + logs[1]["cycle_l1_b"].count == 6
    finished = task.finish_evaluation({"cycle_l1_a": 0.1, "cycle_l1_b": 0.3})
    assert finished["cycle_l1"] == pytest.approx(0.2)


def test_classes_kept_by_hand() -> None:
    """A classifier that calls light images 1; the translator to B makes all light, that to A changes nothing."""
    task = made_task()
    task.a2b, task.b2a = (lambda images: torch.ones_like(images)), nn.Identity()  # type: ignore[assignment]
    task.classifier = lambda pixels: torch.stack([0.5 - pixels.mean((1, 2, 3)), pixels.mean((1, 2, 3)) - 0.5], 1)
    dark, light = -torch.ones(3, 1, 16, 16), torch.ones(1, 1, 16, 16)
    batch = Batch(torch.cat([dark, light]), torch.cat([dark, light]), 4)
    labels = torch.tensor([0, 0, 1, 1])
    known = task.evaluate(batch._replace(labels=(labels, labels)))
    assert known["class_kept_A2B"].value() == 0.5
    assert known["class_kept_B2A"].value() == known["classifier_accuracy_A"].value() == 0.75
    unknown = task.evaluate(batch)
    assert unknown["class_kept_A2B"].value() == 0.25
    assert unknown["class_kept_B2A"].value() == 1.0
    assert "classifier_accuracy_A" not in unknown


def test_what_does_not_fit(configure: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError, match="between two domains of images, but this data has one"):
        configure("model=cyclegan", "data=digits")
    with pytest.raises(ConfigError, match="task=cyclegan has no loss, but loss=mse is set"):
        configure("model=cyclegan", "data=digit_pairs", "loss=mse")
    with pytest.raises(ConfigError, match="task=cyclegan needs an optimizer"):
        configure("model=cyclegan", "data=digit_pairs", "optim=none")
    with pytest.raises(ConfigError, match="LBFGS evaluates a loss several times"):
        configure("model=cyclegan", "data=digit_pairs", "optim=lbfgs")
    with pytest.raises(ConfigError, match="task=cyclegan cannot train model=lenet"):
        configure("data=digit_pairs")


def test_the_rate_is_constant_then_falls_to_zero_in_a_line(configure: Callable[..., Config]) -> None:
    parts = prepare(configure("model=cyclegan", "data=digit_pairs", "model.width=2", "model.blocks=0"))
    schedule = parts.updaters["generators"].schedule
    factors = [schedule.at(step, 0, 200, None) for step in (0, 50, 100, 101, 150, 199, 200)]
    assert factors == pytest.approx([1, 1, 1, 0.99, 0.5, 0.01, 0])
    assert parts.config["optim"]["lr"] == 2e-4


def test_what_is_compiled_is_what_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda function, *_, **__: function)
    task = made_task()
    compile_networks(task, torch.device("cpu"))
    for network in (task.a2b, task.b2a, task.discriminator_a, task.discriminator_b):
        assert network._compiled_call_impl is not None


def test_half_precision_steps(configure: Callable[..., Config]) -> None:
    words = ["model=cyclegan", "data=digit_pairs", "data.resize=16", "model.width=2", "model.blocks=1"]
    parts = prepare(configure(*words, "data.batch_size=2", "trainer.precision=bf16-mixed"))
    logs = parts.task.train_step(parts.dataset.train, parts.updaters)
    assert all(torch.isfinite(torch.as_tensor(mean.value())) for mean in logs.values())
    assert parts.task.state_dict()["pool_a"].dtype == torch.float32


def test_the_rows_of_the_picture_are_what_they_are_called() -> None:
    task, batch = made_task(), made_batch(0)
    picture = task.picture(64, lambda _: batch)
    rows = dict(zip(picture.row_names, picture.samples.chunk(6), strict=True))
    a, b = rows["A"], rows["B"]
    assert torch.equal(a, batch.inputs)
    assert torch.equal(b, batch.targets)
    with torch.no_grad():
        made = task.translated(a, b)
    assert torch.equal(rows["A → B"], made.fake_b)
    assert torch.equal(rows["A → B → A"], made.back_a)
    assert torch.equal(rows["B → A"], made.fake_a)
    assert torch.equal(rows["B → A → B"], made.back_b)
