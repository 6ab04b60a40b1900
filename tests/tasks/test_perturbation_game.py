"""The game of a learned attacker and a classifier."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from dltool.attacks.ball import Ball
from dltool.build.metrics import with_metrics
from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.engine.evaluator import evaluate
from dltool.losses.cross_entropy import CrossEntropy
from dltool.tasks.perturbation_game import PerturbationGameTask
from dltool.tasks.task import Loss

SPEC = DataSpec((1, 5, 6), class_names=("a", "b", "c"), output_dim=3, pixel_shift=(10.0,), pixel_factor=(0.01,))
PIXELS = torch.rand(12, 1, 5, 6, generator=torch.Generator().manual_seed(0)).round(decimals=1)  # Some are 0 or 1.
BATCH = Batch((255 * PIXELS - 10) * 0.01, torch.arange(12) % 3, 12)


def game(**fields: Any) -> PerturbationGameTask:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(48, 3))
    fields = {"attacker_channels": [4, 6], "eps": 0.2, **fields}
    return with_metrics(PerturbationGameTask(model, CrossEntropy(SPEC), SPEC, **fields), SPEC)


class Updater:
    """Plain Adam over one role."""

    def __init__(self, module: nn.Module) -> None:
        self.optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
        self.batches: list[Batch] = []

    def minimize(self, loss: Callable[[Batch], Loss], batch: Batch) -> Any:
        self.batches.append(batch)
        self.optimizer.zero_grad()
        result = loss(batch)
        result.mean.backward()
        self.optimizer.step()
        return result.logs


class Source:
    def draw(self) -> Batch:
        return BATCH._replace()


def test_perturbations_stay_in_the_ball_and_have_a_gradient_everywhere() -> None:
    task = game()
    moved = task.pixels.of(task.perturbed(BATCH.inputs))
    assert ((moved >= 0) & (moved <= 1)).all()
    assert (Ball("linf", 0.2).size(moved - PIXELS) <= 0.2 + 1e-6).all()
    black = PIXELS == 0
    assert black.any()
    place = torch.zeros_like(PIXELS, requires_grad=True)
    task.attacker.forward = lambda images: place.tanh()  # type: ignore[method-assign]
    task.perturbed(BATCH.inputs).sum().backward()
    assert (place.grad[black] > 0).all()


def test_each_player_moves_by_its_own_loss_alone() -> None:
    task = game()
    before = copy.deepcopy((task.model.state_dict(), task.attacker.state_dict()))
    task.model.train()
    logs = Updater(task.attacker).minimize(task.attacker_loss, BATCH)
    outputs = game().model.eval()(game().perturbed(BATCH.inputs))
    torch.testing.assert_close(
        torch.tensor(-logs["attacker_loss"].value()), F.cross_entropy(outputs, BATCH.targets).detach()
    )
    for name, value in task.model.state_dict().items():  # Batch norm's statistics too.
        assert torch.equal(value, before[0][name])
    assert task.model.training
    assert any(not torch.equal(value, before[1][name]) for name, value in task.attacker.state_dict().items())
    attacker = copy.deepcopy(task.attacker.state_dict())
    task.attacker.zero_grad()
    Updater(task.model).minimize(task.classifier_loss, BATCH)
    assert all(parameter.grad is None for parameter in task.attacker.parameters())
    assert all(torch.equal(value, attacker[name]) for name, value in task.attacker.state_dict().items())
    assert not torch.equal(task.model[0].weight, before[0]["0.weight"])


def test_classifier_loss_by_hand() -> None:
    task = game(share=0.25)
    task.model.eval()
    mean, count, logs = task.classifier_loss(BATCH)
    clean = F.cross_entropy(task.model(BATCH.inputs), BATCH.targets)
    perturbed = F.cross_entropy(task.model(task.perturbed(BATCH.inputs)), BATCH.targets)
    torch.testing.assert_close(mean, 0.75 * clean + 0.25 * perturbed)
    assert count == 12
    assert set(logs) == {"loss", "accuracy", "perturbed_accuracy"}


def test_steps_of_the_attacker_then_one_of_the_classifier() -> None:
    task = game(attacker_steps=3)
    updaters = {role: Updater(module) for role, module in task.roles.items()}
    logs = task.train_step(Source(), updaters)
    assert [len(updaters[role].batches) for role in ("attacker", "classifier")] == [3, 1]
    assert updaters["classifier"].batches[0] is updaters["attacker"].batches[-1]
    assert {"attacker_loss", "loss"} < set(logs)
    assert task.draws_per_step == 3
    assert not task.has_objective


def test_the_attacker_learns_to_fool_a_classifier_that_stands_still() -> None:
    task = game(eps=0.4)
    task.model.eval()
    task.criterion = CrossEntropy(SPEC)
    batch = BATCH._replace(targets=task.model(BATCH.inputs).argmax(1))
    before = evaluate(task, [batch])
    updater = Updater(task.attacker)
    for _ in range(60):
        updater.minimize(task.attacker_loss, batch)
    after = evaluate(task, [batch])
    assert after["accuracy"] == before["accuracy"] == 1
    assert after["perturbed_accuracy"] < before["perturbed_accuracy"]
    assert list(after) == ["loss", "perturbed_loss", "perturbed_accuracy", "accuracy"]
    again = game(eps=0.4)
    again.model.eval()
    again.load_state_dict(task.state_dict())
    assert evaluate(again, [batch]) == after
