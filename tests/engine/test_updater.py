"""One optimizer step is exactly what a hand-written one would be."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.core.batch import Batch
from dltool.core.errors import NonFiniteLossError
from dltool.core.randomness import derive_seed
from dltool.core.spec import DataSpec
from dltool.engine.guard import FiniteGuard
from dltool.engine.pieces import Pieces
from dltool.engine.precision import Precision
from dltool.engine.updater import Updater
from dltool.losses.cross_entropy import CrossEntropy
from dltool.optim.schedule import Schedule
from dltool.runs.folder import RunFolder
from dltool.tasks.supervised import SupervisedTask
from dltool.tasks.task import Loss

CPU = torch.device("cpu")
SPEC = DataSpec((5,), "classes", ("a", "b", "c"), output_dim=3)


def make_updater(
    module: nn.Module, optimizer: torch.optim.Optimizer | None = None, accumulate: int = 1, **settings: object
) -> Updater:
    optimizer = optimizer or torch.optim.SGD(module.parameters(), lr=0.1)
    schedule = Schedule(lambda t, total: 1.0)
    precision = Precision(32, CPU)
    return Updater(
        module, optimizer, schedule, precision, FiniteGuard(optimizer, CPU), pieces=Pieces(accumulate), **settings
    )  # type: ignore[arg-type]


def make_batch(size: int = 10) -> Batch:
    source = torch.Generator().manual_seed(0)
    return Batch(torch.randn(size, 5, generator=source), torch.randint(0, 3, (size,), generator=source), size)


def make_task(**settings: object) -> SupervisedTask:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)).double()
    return SupervisedTask(model, CrossEntropy(SPEC, **settings), SPEC)  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", [{}, {"class_weights": [0.2, 3.0, 1.0]}, {"label_smoothing": 0.1}])
def test_micro_batches_of_7_and_3_give_the_gradient_of_one_batch_of_10(settings: dict[str, object]) -> None:
    task, batch = make_task(**settings), make_batch()
    batch = batch._replace(inputs=batch.inputs.double())

    class SevenAndThree(Batch):
        def split(self, num_parts: int) -> list[Batch]:
            if num_parts == 1:
                return [self]
            return [Batch(self.inputs[a:b], self.targets[a:b], 10) for a, b in ((0, 7), (7, 10))]

    batch = SevenAndThree(*batch)
    logs, gradients = [], []
    for accumulate in (1, 2):
        updater = make_updater(task.model, accumulate=accumulate)
        gradient = updater.gradient if accumulate == 1 else updater.accumulated_gradient
        logs.append(gradient(task.loss, batch)[1])
        gradients.append([p.grad.clone() for p in task.model.parameters() if p.grad is not None])
    for whole, parts in zip(*gradients, strict=True):
        torch.testing.assert_close(whole, parts, rtol=1e-6, atol=1e-7)  # The loss itself is float32.
    assert logs[0].keys() == logs[1].keys()
    for name in logs[0]:
        assert logs[0][name].value() == pytest.approx(logs[1][name].value(), rel=1e-6)


@pytest.mark.parametrize("accumulate", [1, 2, 3, 10, 20])
def test_any_number_of_micro_batches_gives_the_same_step(accumulate: int) -> None:
    stepped = []
    for parts in (1, accumulate):
        task = make_task()
        make_updater(task.model, accumulate=parts).minimize(task.loss, make_batch_double())
        stepped.append(nn.utils.parameters_to_vector(task.model.parameters()))
    torch.testing.assert_close(*stepped, rtol=1e-6, atol=1e-9)


def make_batch_double() -> Batch:
    batch = make_batch()
    return batch._replace(inputs=batch.inputs.double())


def test_lbfgs_sees_the_loss_of_the_whole_batch() -> None:
    """Its line search needs the objective itself, not that of the last micro-batch."""
    stepped = []
    for parts in (1, 4):
        task = make_task()
        lbfgs = torch.optim.LBFGS(task.model.parameters(), line_search_fn="strong_wolfe")
        make_updater(task.model, lbfgs, accumulate=parts).minimize(task.loss, make_batch_double())
        stepped.append(nn.utils.parameters_to_vector(task.model.parameters()))
    torch.testing.assert_close(*stepped, rtol=1e-4, atol=1e-5)


def test_clipping() -> None:
    task = make_task()
    make_updater(task.model, clip_norm=1e-3).minimize(task.loss, make_batch_double())
    norm = torch.cat([p.grad.flatten() for p in task.model.parameters() if p.grad is not None]).norm()
    assert norm.item() == pytest.approx(1e-3, rel=1e-3)
    make_updater(task.model, clip_value=1e-5).minimize(task.loss, make_batch_double())
    assert max(p.grad.abs().max().item() for p in task.model.parameters() if p.grad is not None) <= 1e-5


def test_the_other_role_gets_no_gradient_and_can_learn_again() -> None:
    mine, other = nn.Linear(5, 5), nn.Linear(5, 3)
    updater = make_updater(mine, others=[other])

    def loss(batch: Batch) -> Loss:
        assert not any(p.requires_grad for p in other.parameters())
        mean = other(mine(batch.inputs)).square().mean()
        return Loss(mean, batch.size, {})

    before = [p.clone() for p in mine.parameters()]
    updater.minimize(loss, make_batch())
    assert all(p.grad is None and p.requires_grad for p in other.parameters())
    assert any((p != b).any() for p, b in zip(mine.parameters(), before, strict=True))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_bad_loss_never_reaches_the_weights(bad: float) -> None:
    task = make_task()
    updater = make_updater(task.model)
    updater.step = 41
    before = nn.utils.parameters_to_vector(task.model.parameters()).clone()

    def loss(batch: Batch) -> Loss:
        good = task.loss(batch)
        return good._replace(mean=good.mean * bad)

    with pytest.raises(NonFiniteLossError, match="at step 41"):
        updater.minimize(loss, make_batch_double())
    assert torch.equal(before, nn.utils.parameters_to_vector(task.model.parameters()))


def test_a_bad_gradient_norm_never_reaches_the_weights() -> None:
    """sqrt has an infinite slope at 0: the loss is finite, its gradient is not."""
    weight = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(weight.weight)
    updater = make_updater(weight, clip_norm=1.0)
    with pytest.raises(NonFiniteLossError, match="gradient's norm"):
        updater.minimize(lambda b: Loss(weight(torch.ones(1, 1)).abs().sqrt().sum(), 1, {}), make_batch())
    assert weight.weight.item() == 0.0


def test_a_masked_update_is_left_out_and_named_later() -> None:
    """What an accelerator does: the fused kernel skips the update, the host asks at the next log."""
    model = nn.Linear(5, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=True)
    guard = FiniteGuard(optimizer, CPU, masked=True)
    factors = {0: 1.0, 1: float("nan"), 2: 1.0, 3: float("inf")}
    weights = []
    for step, factor in factors.items():
        optimizer.zero_grad()
        loss = model(torch.ones(2, 5)).square().mean() * factor
        guard.check(loss, step)
        loss.backward()
        optimizer.step()
        weights.append(model.weight.detach().clone())
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(weights[0], weights[1])
    assert torch.equal(weights[2], weights[3])
    assert all(w.isfinite().all() for w in weights)
    with pytest.raises(NonFiniteLossError, match="step 1;"):
        guard.raise_if_bad()


def test_loss_scaling_skips_an_overflow_and_gives_up_after_twenty() -> None:
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    precision = Precision("16-mixed", CPU)
    assert precision.scaler is not None
    before = precision.scaler.get_scale()
    updater = Updater(model, optimizer, Schedule(lambda t, total: 1.0), precision, FiniteGuard(optimizer, CPU))
    weights = model.weight.detach().clone()
    factor = float("inf")

    def loss(batch: Batch) -> Loss:
        return Loss(model(batch.inputs).float().square().mean() * factor, batch.size, {})

    updater.minimize(loss, make_batch())
    assert torch.equal(weights, model.weight)
    assert precision.scaler.get_scale() == before / 2
    for _ in range(19):
        updater.minimize(loss, make_batch())
    with pytest.raises(NonFiniteLossError, match="in a row"):
        updater.minimize(loss, make_batch())
    factor = 1.0
    updater.minimize(loss, make_batch())
    assert not torch.equal(weights, model.weight)
    assert precision.skipped_steps == 0


def test_the_gan_equals_a_hand_written_alternating_loop(configure: Callable[..., Config], tmp_path) -> None:
    """Algorithm 1 with k = 2, written out with plain torch, from the same weights and random numbers."""
    config = configure(
        "model=gan", "data=gaussians", "task.discriminator_steps=2", "data.batch_size=64", "model.generator_norm=null"
    )
    parts = prepare(config)
    trainer = build_trainer(parts, RunFolder(tmp_path))
    reference = prepare(config)
    model = reference.task.model
    d_optim = torch.optim.Adam(model.discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True)
    g_optim = torch.optim.Adam(model.generator.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True)
    softplus = nn.functional.softplus  # -log σ(x) = softplus(-x); another form rounds, and Adam amplifies it.
    source = reference.dataset.train
    trainer.task.model.train()
    model.train()
    for step in range(20):
        trainer.train_step()
        torch.manual_seed(derive_seed(0, "step", step))
        for _ in range(2):
            real = source.draw().inputs
            fake = model.generator(model.noise(len(real))).detach()
            real_logits, fake_logits = model.discriminator(real), model.discriminator(fake)
            d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
            d_optim.zero_grad()
            d_loss.backward()
            d_optim.step()
        g_loss = softplus(-model.discriminator(model.generator(model.noise(len(real))))).mean()
        g_optim.zero_grad()
        g_loss.backward()
        g_optim.step()
    for ours, theirs in zip(trainer.task.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)
