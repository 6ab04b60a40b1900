"""Adversarial training: the losses by hand, what is logged and measured, the warm-up."""

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dltool.attacks.adversary import Adversary
from dltool.attacks.pgd import PGD
from dltool.build.metrics import with_metrics
from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.engine.evaluator import evaluate
from dltool.losses.binary_cross_entropy import BinaryCrossEntropy
from dltool.losses.cross_entropy import CrossEntropy
from dltool.tasks.adversarial import AdversarialTask, divergences
from dltool.tasks.supervised import SupervisedTask

SPEC = DataSpec((1, 4, 4), class_names=("a", "b", "c"), output_dim=3, pixel_shift=(10.0,), pixel_factor=(0.01,))
INPUTS = torch.rand(12, 1, 4, 4, generator=torch.Generator().manual_seed(0)) * 2.4 - 0.1
BATCH = Batch(INPUTS, torch.arange(12) % 3, 12)


def network(outputs: int = 3) -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, outputs))


def adversary(**fields: Any) -> Adversary:
    return Adversary(PGD(**{"eps": 0.1, "steps": 2, "random_start": False, **fields}), SPEC)


def gradients(task: AdversarialTask, parts: int = 1) -> list[torch.Tensor]:
    task.model.zero_grad()
    torch.manual_seed(4)  # Uniform numbers are drawn one after the other: those of the parts are those of the whole.
    for part in BATCH.split(parts):
        mean, count, _ = task.loss(part)
        (mean * count / BATCH.size).backward()
    return [parameter.grad.clone() for parameter in task.model.parameters()]


def test_madry_is_the_loss_of_the_attacked_inputs() -> None:
    task = AdversarialTask(network(), CrossEntropy(SPEC), SPEC, adversary())
    attacked = adversary().attacked(network(), INPUTS, BATCH.targets)
    outputs = network()(attacked)
    mean, count, logs = task.loss(BATCH)
    torch.testing.assert_close(mean, F.cross_entropy(outputs, BATCH.targets))
    assert count == 12
    assert {name: value.value() for name, value in logs.items()} == pytest.approx(
        {"loss": mean.item(), "attacked_accuracy": (outputs.argmax(1) == BATCH.targets).float().mean().item()}
    )
    assert mean > SupervisedTask(network(), CrossEntropy(SPEC), SPEC).loss(BATCH).mean


def test_trades_by_hand() -> None:
    model = network()
    task = AdversarialTask(model, CrossEntropy(SPEC), SPEC, adversary(), method="trades", beta=3.0)
    shift, factor = 10.0, 0.01
    pixels = (INPUTS / factor + shift) / 255
    clean = model(INPUTS)
    moved = pixels.clone()
    torch.manual_seed(4)
    moved = (moved + torch.empty_like(moved).uniform_(-0.1, 0.1)).clamp(0, 1)
    for _ in range(2):
        moved.requires_grad_()
        p, q = clean.detach().softmax(1), model((255 * moved - shift) * factor).softmax(1)
        (gradient,) = torch.autograd.grad((p * (p / q).log()).sum(), moved)
        moved = (pixels + (moved.detach() + 0.125 * gradient.sign() - pixels).clamp(-0.1, 0.1)).clamp(0, 1)
    p, q = clean.softmax(1), model((255 * moved - shift) * factor).softmax(1)
    divergence = (p * (p / q).log()).sum(1).mean()
    expected = F.cross_entropy(clean, BATCH.targets) + 3 * divergence
    task.adversary = adversary(random_start=True)  # At the clean image itself the divergence has no slope.
    torch.manual_seed(4)
    mean, _, logs = task.loss(BATCH)
    torch.testing.assert_close(mean, expected, atol=1e-5, rtol=1e-4)
    assert logs["divergence"].value() == pytest.approx(divergence.item(), rel=1e-3)
    assert logs["loss"].value() == pytest.approx(expected.item(), rel=1e-4)
    assert set(logs) == {"loss", "accuracy", "divergence", "attacked_accuracy"}
    wanted = torch.autograd.grad(expected, list(model.parameters()))  # Through both sides of the divergence.
    torch.testing.assert_close(torch.autograd.grad(mean, list(model.parameters())), wanted, atol=1e-5, rtol=1e-3)


def test_divergence_is_zero_of_the_same_and_has_one_sample_each() -> None:
    logits = torch.randn(5, 3)
    torch.testing.assert_close(divergences(logits, logits + 7), torch.zeros(5), atol=1e-6, rtol=0)
    assert (divergences(logits, logits.flip(1)) > 0).all()


@pytest.mark.parametrize("method", ["madry", "trades"])
def test_micro_batches_give_the_gradient_of_the_whole(method: Any) -> None:
    # At the clean image the divergence of TRADES has no slope, and the sign of its gradient is that of rounding.
    attack = adversary(random_start=method == "trades")
    task = AdversarialTask(network(), CrossEntropy(SPEC), SPEC, attack, method=method, l2=0.01)
    torch.testing.assert_close(gradients(task, 5), gradients(task), atol=1e-6, rtol=1e-5)


def test_one_output_for_two_classes() -> None:
    spec = DataSpec((1, 4, 4), "binary", ("a", "b"), output_dim=1, pixel_shift=(10.0,), pixel_factor=(0.01,))
    batch = BATCH._replace(targets=BATCH.targets.clamp(max=1))
    for method in ("madry", "trades"):
        task = AdversarialTask(network(1), BinaryCrossEntropy(spec), spec, adversary(), method=method)  # type: ignore[arg-type]
        task.loss(batch).mean.backward()
        assert all(parameter.grad.abs().sum() > 0 for parameter in task.model.parameters())


class Plain:
    """A source and an updater that only asks for the loss."""

    def draw(self) -> Batch:
        return BATCH

    def minimize(self, loss: Any, batch: Batch) -> Any:
        return loss(batch).logs


def test_eps_grows_in_the_warm_up() -> None:
    task = AdversarialTask(network(), CrossEntropy(SPEC), SPEC, adversary(), warmup_steps=4)
    strengths = []
    for _ in range(6):
        strengths.append(task.strength)
        task.train_step(Plain(), {"model": Plain()})
    assert strengths == [0.25, 0.5, 0.75, 1, 1, 1]
    again = AdversarialTask(network(), CrossEntropy(SPEC), SPEC, adversary(), warmup_steps=40)
    again.load_state_dict(task.state_dict())
    assert again.strength == 7 / 40
    task.warmup_steps = 100  # An evaluation has the whole eps at every step.
    values = evaluate(task, [BATCH])
    assert values["perturbation"] == pytest.approx(0.1, abs=1e-5)


def test_evaluation_is_supervised_and_under_attack() -> None:
    plain = evaluate(with_metrics(SupervisedTask(network(), CrossEntropy(SPEC), SPEC), SPEC), [BATCH])
    task = with_metrics(AdversarialTask(network(), CrossEntropy(SPEC), SPEC, adversary(num_samples=7)), SPEC)
    values = evaluate(task, BATCH.split(3))
    assert list(values) == ["loss", "accuracy", "attacked_loss", "attacked_accuracy", "perturbation"]
    assert {name: values[name] for name in plain} == pytest.approx(plain)
    attacked = adversary().attacked(network(), INPUTS[:7], BATCH.targets[:7])
    outputs, targets = network()(attacked), BATCH.targets[:7]
    assert values["attacked_loss"] == pytest.approx(F.cross_entropy(outputs, targets).item(), rel=1e-5)
    assert values["attacked_accuracy"] == pytest.approx((outputs.argmax(1) == targets).float().mean().item())
    assert task.main_metric == ("attacked_accuracy", "max")
    assert task.remarks == ["attacked: bim, 2 steps of 0.125, L∞ eps 0.1 in pixels of [0, 1], the first 7 samples"]
    examples = task.attacked_examples
    assert examples is not None
    torch.testing.assert_close(examples.clean, adversary().pixels.of(INPUTS[:4]))  # Of the first batch.
    torch.testing.assert_close(examples.attacked_outputs, outputs[:4].detach())
    assert evaluate(copy.deepcopy(task), BATCH.split(3)) == values


def test_training_withstands_what_plain_training_does_not() -> None:
    """Two features: a large one that an attack cannot turn, and a small one that tells the classes better."""
    rng = torch.Generator().manual_seed(0)
    labels = torch.randint(2, (400,), generator=rng)
    sign = (2.0 * labels - 1)[:, None]
    robust = 0.5 + 0.15 * sign * (torch.rand(400, 1, generator=rng) > 0.1).float()
    weak = 0.5 + 0.05 * sign.expand(-1, 15)
    pixels = torch.cat([robust, weak], 1).view(400, 1, 4, 4)
    spec = DataSpec((1, 4, 4), class_names=("a", "b"), output_dim=2, pixel_shift=(0.0,), pixel_factor=(1 / 255,))
    batch = Batch(pixels, labels, 400)
    accuracy = {}
    for name, kind in (("plain", SupervisedTask), ("madry", AdversarialTask)):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
        task = kind(model, CrossEntropy(spec), spec, Adversary(PGD(eps=0.1, steps=3), spec))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        for _ in range(150):
            optimizer.zero_grad()
            task.loss(batch).mean.backward()
            optimizer.step()
        accuracy[name] = evaluate(with_metrics(task, spec), [batch])
    assert accuracy["plain"]["accuracy"] > 0.99
    assert accuracy["plain"]["attacked_accuracy"] < 0.5
    assert accuracy["madry"]["attacked_accuracy"] > 0.85
