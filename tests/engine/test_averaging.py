"""Averages of the weights against formulas by hand, and that nothing but an evaluation sees them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from states import same_state
from torch import Tensor, nn

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.config.settings import AverageSettings
from dltool.core.batch import Batch
from dltool.engine.averaging import WeightAverage
from dltool.engine.checkpoint import load
from dltool.engine.observer import Observer, Progress
from dltool.engine.signals import Interrupted
from dltool.engine.trainer import Trainer
from dltool.runs.folder import RunFolder
from dltool.tasks.task import Task

IRIS = ["model=mlp", "model.hidden=[8]", "model.norm=batch", "data=iris", "data.batch_size=16", "optim.lr=0.01"]
SWA = ["trainer.average.kind=swa", "trainer.average.start=0.5", "trainer.epochs=4"]


def make(configure: Callable[..., Config], folder: Path, *overrides: str) -> Trainer:
    return build_trainer(prepare(configure(*IRIS, *overrides)), RunFolder(folder))


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))


def move(model: nn.Module) -> dict[str, Tensor]:
    """Change every parameter and statistic; returns what they became."""
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor += torch.rand_like(tensor)
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def weights_in_use(average: WeightAverage, between_batches: Any = lambda: None) -> dict[str, Tensor]:
    with average.applied(between_batches):
        return {name: tensor.clone() for name, tensor in average.model.state_dict().items()}


def test_ema_by_hand_with_statistics() -> None:
    model = network()
    average = WeightAverage(model, AverageSettings(kind="ema", decay=0.75, every_n_steps=2, warmup=False), lambda: [])
    expected: dict[str, Tensor] = {}
    for step in range(1, 8):
        now = move(model)
        average.after_step(step, 8, epoch_exhausted=True)
        if step == 2:
            expected = now
        elif step % 2 == 0:
            expected = {name: 0.75 * expected[name] + 0.25 * value for name, value in now.items()}
    used = weights_in_use(average)
    for name in ("0.weight", "1.weight", "1.running_mean", "1.running_var", "2.bias"):
        torch.testing.assert_close(used[name], expected[name])
    assert same_state(dict(model.state_dict()), now)  # Its own again.


def test_the_decay_of_a_short_training_is_smaller() -> None:
    """The first update copies; at update n the share that stays is (1 + n) / (10 + n), up to the decay."""
    model = network()
    average = WeightAverage(model, AverageSettings(kind="ema", decay=0.25), lambda: [])
    expected = move(model)
    average.after_step(1, 9, epoch_exhausted=False)
    for n, share in ((1, 2 / 11), (2, 0.25), (3, 0.25)):
        now = move(model)
        average.after_step(n + 1, 9, epoch_exhausted=False)
        expected = {name: share * expected[name] + (1 - share) * value for name, value in now.items()}
    torch.testing.assert_close(weights_in_use(average)["0.weight"], expected["0.weight"])


def test_swa_is_the_plain_mean_and_computes_its_statistics() -> None:
    model = network()
    data = [Batch(torch.randn(20, 3) + 5, torch.zeros(20), 20), Batch(torch.randn(20, 3), torch.zeros(20), 20)]
    average = WeightAverage(model, AverageSettings(kind="swa", start=0.5), lambda: data)
    seen = []
    for step in range(1, 9):
        now = move(model)
        average.after_step(step, 8, epoch_exhausted=step % 2 == 0)
        if step in (4, 6, 8):
            seen.append(now)
    assert average.num_updates == 3
    used = weights_in_use(average)
    for name in ("0.weight", "0.bias", "1.weight", "2.weight"):
        torch.testing.assert_close(used[name], torch.stack([w[name] for w in seen]).mean(0))
    # The statistics: the mean over batches of what batch norm sees with the averaged weights.
    hidden = [batch.inputs @ used["0.weight"].T + used["0.bias"] for batch in data]
    torch.testing.assert_close(used["1.running_mean"], torch.stack([h.mean(0) for h in hidden]).mean(0))
    torch.testing.assert_close(used["1.running_var"], torch.stack([h.var(0) for h in hidden]).mean(0))
    assert used["1.num_batches_tracked"] == 2
    assert same_state(dict(model.state_dict()), now)
    assert model[1].momentum == 0.1


def test_an_interrupted_pass_for_the_statistics_is_made_anew() -> None:
    model = network().train()
    data = [Batch(torch.randn(20, 3), torch.zeros(20), 20)] * 3
    average = WeightAverage(model, AverageSettings(kind="swa", start=0.0), lambda: data)
    now = move(model)
    average.after_step(1, 1, epoch_exhausted=True)
    calls: list[int] = []

    def interrupt() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise Interrupted(2)

    with pytest.raises(Interrupted), average.applied(interrupt):
        pass
    assert same_state(dict(model.state_dict()), now)
    assert model.training
    assert model[1].momentum == 0.1
    assert not average.statistics_are_fresh
    with average.applied():  # Without a pass it is not applied.
        assert same_state(dict(model.state_dict()), now)
    assert not torch.equal(weights_in_use(average, lambda: None)["1.running_mean"], now["1.running_mean"])


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_training_itself_is_not_changed(kind: str, configure: Callable[..., Config], tmp_path: Path) -> None:
    plain, averaged = make(configure, tmp_path / "plain", *SWA[2:]), make(
        configure, tmp_path / kind, *SWA, f"trainer.average.kind={kind}"
    )  # fmt: skip
    plain.fit()
    averaged.fit()
    assert same_state(plain.task.model.state_dict(), averaged.task.model.state_dict())
    assert plain.progress.metrics["train/loss"] == averaged.progress.metrics["train/loss"]
    assert plain.progress.metrics["val/loss"] != averaged.progress.metrics["val/loss"]


class Watcher(Observer):
    """Notes a weight at each event, as one that draws samples sees it."""

    def on_start(self, task: Task, progress: Progress) -> None:
        self.weight = next(task.model.parameters())
        self.seen: dict[int, Tensor] = {}
        self.progress = progress

    def on_epoch(self) -> None:
        self.seen[self.progress.epoch] = self.weight.detach().clone()

    def on_end(self) -> None:
        self.seen[-1] = self.weight.detach().clone()


def test_evaluations_samples_and_checkpoints(configure: Callable[..., Config], tmp_path: Path) -> None:
    trainer = make(configure, tmp_path, *SWA, "trainer.checkpoint.keep_last=9", "trainer.test=best")
    watcher = Watcher()
    trainer.observers = [watcher]
    trainer.fit()
    saved = {load(path).state["epoch"]: load(path) for path in trainer.checkpoints.paths()}
    name = next(name for name, _ in trainer.task.model.named_parameters())
    for epoch, checkpoint in saved.items():
        raw, average = checkpoint.weights[name], checkpoint.state["average"]["weights"]
        expected = torch.stack([saved[e].weights[name] for e in range(2, epoch + 1)]).mean(0) if epoch > 1 else raw
        assert torch.equal(watcher.seen[epoch], average[name] if epoch > 1 else raw)
        torch.testing.assert_close(watcher.seen[epoch], expected)
    # The test used the average of the best checkpoint, which is the best by its average.
    best = trainer.checkpoints.best()
    assert best is not None
    again = make(configure, tmp_path / "again", *SWA)
    state = load(best)
    again.task.model.load_state_dict(state.weights | state.state["average"]["weights"])
    assert again.evaluate("test")["loss"] == trainer.progress.metrics["test/loss"]
    assert again.evaluate("val")["loss"] == state.metrics["val/loss"]


def test_a_training_that_ended_before_the_first_average(configure: Callable[..., Config], tmp_path: Path) -> None:
    trainer = make(configure, tmp_path, *SWA, "stop.target=0")
    trainer.fit()
    assert trainer.average is not None
    assert (trainer.progress.epoch, trainer.average.num_updates) == (1, 0)
    assert trainer.average.state_dict()["weights"] == {}


def test_buffers_that_no_checkpoint_has_are_not_averaged() -> None:
    """A fixed filter; the average has the names of the model's state_dict, so that it can be loaded as one."""
    model = network()
    model.register_buffer("filter", torch.ones(2), persistent=False)
    average = WeightAverage(model, AverageSettings(kind="ema"), lambda: [])
    average.update()
    weights = average.state_dict()["weights"]
    assert set(weights) == {name for name, tensor in model.state_dict().items() if tensor.is_floating_point()}
