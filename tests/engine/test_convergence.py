"""What the rules on gradients and updates measure, against plain torch."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from states import same_state
from torch import nn

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.engine.convergence import UpdateNorm
from dltool.engine.trainer import Trainer
from dltool.runs.folder import RunFolder

# Batch norm and dropout: what an evaluation of the gradient could disturb.
IRIS = ["model=mlp", "model.hidden=[8]", "data=iris", "data.batch_size=16", "logger.plots=false"]
FRAGILE = ["model.norm=batch", "model.dropout=0.3"]


def make(configure: Callable[..., Config], folder: Path, *overrides: str) -> Trainer:
    trainer = build_trainer(prepare(configure(*IRIS, *overrides)), RunFolder(folder))
    trainer.task.model.train()
    return trainer


def flat_gradient(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


@pytest.mark.parametrize("precision", ["32", "16-mixed"])
def test_batch_gradient_is_that_of_the_step_before_clipping(
    precision: str, configure: Callable[..., Config], tmp_path: Path
) -> None:
    rules = ["stop.gradient_norm=1e-9", "stop.every_n_steps=1", f"trainer.precision={precision}"]
    plain = make(configure, tmp_path / "plain", f"trainer.precision={precision}")
    plain.advance()
    expected = flat_gradient(plain.task.model).norm().item()  # Nothing clips it, and it is unscaled in place.
    for clip in ("trainer.clip_norm=1e-3", "trainer.clip_value=1e-4"):
        clipped = make(configure, tmp_path / clip, *rules, clip)
        clipped.advance()
        assert clipped.stopping.rules["gradient_norm"].value == pytest.approx(expected, rel=1e-5)
        assert flat_gradient(clipped.task.model).norm().item() < 0.1 * expected
        assert all(updater.on_gradient is None for updater in clipped.updaters.values())


def test_roles_are_taken_together_and_lbfgs_has_a_gradient_too(
    configure: Callable[..., Config], tmp_path: Path
) -> None:
    gan = ["model=gan", "data=gaussians", "data.num_samples=100", "stop.gradient_norm=1e-9", "stop.every_n_steps=1"]
    trainer = build_trainer(prepare(configure(*gan)), RunFolder(tmp_path / "gan"))
    trainer.task.model.train()
    trainer.advance()
    expected = flat_gradient(trainer.task.model).norm().item()
    assert trainer.stopping.rules["gradient_norm"].value == pytest.approx(expected, rel=1e-5)
    rules = ["stop.gradient_norm=1e-9", "stop.every_n_steps=1"]
    lbfgs = make(configure, tmp_path / "lbfgs", "optim=lbfgs", "data.batch_size=full", *rules)
    lbfgs.advance()
    expected = flat_gradient(lbfgs.task.model).norm().item()
    assert lbfgs.stopping.rules["gradient_norm"].value == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "extra",
    [
        ["task.l2=0.1"],
        ["data=diabetes", "loss=mse", "loss.reduction=sum", "optim.lr=1e-4"],
        ["loss=cross_entropy", "loss.class_weights=[1.0,2.0,3.0]"],
    ],
    ids=lambda extra: extra[-1],
)
def test_full_gradient_is_that_of_one_great_batch(
    extra: list[str], configure: Callable[..., Config], tmp_path: Path
) -> None:
    rules = ["stop.gradient_norm=1e-9", "stop.gradient=full", "stop.every_n_steps=1", "data.eval_batch_size=10"]
    trainer = make(configure, tmp_path, *FRAGILE, *rules, *extra)
    trainer.advance()
    model = trainer.task.model.eval()
    model.zero_grad()
    trainer.data.eval_batch_size = 10_000
    (batch,) = trainer.data.evaluation("train")
    trainer.task.loss(batch).mean.backward()
    expected = flat_gradient(model).norm().item()
    assert trainer.stopping.rules["gradient_norm"].value == pytest.approx(expected, rel=1e-4)


def test_looking_changes_nothing(configure: Callable[..., Config], tmp_path: Path) -> None:
    rules = ["stop.gradient_norm=1e-9", "stop.update_norm=1e-9", "stop.every_n_steps=2"]
    ends = []
    for name, extra in {"none": [], "batch": rules, "full": [*rules, "stop.gradient=full"]}.items():
        trainer = make(configure, tmp_path / name, *FRAGILE, *extra, "trainer.epochs=2")
        trainer.fit()
        ends.append({**trainer.state_dict(), "weights": trainer.task.model.state_dict()})
    for state in ends:
        del state["seconds"], state["stopping"]
    assert same_state(ends[0], ends[1])
    assert same_state(ends[0], ends[2])


def test_update_norm_is_the_length_of_the_step() -> None:
    model = nn.Linear(2, 1)
    model.bias.requires_grad_(False)
    rule = UpdateNorm(model, 5.1)
    rule.before_step()
    with torch.no_grad():
        model.weight += torch.tensor([[3.0, 4.0]])
        model.bias += 100.0  # Not trained.
    rule.after_step()
    assert rule.value == pytest.approx(5.0, rel=1e-6)
    assert rule.reason() == "the norm of the update was 5 (stop.update_norm=5.1)"
    rule.threshold = 5.0 - 1e-3
    assert rule.reason() is None
    rule.value = float("nan")
    assert rule.reason() is None
