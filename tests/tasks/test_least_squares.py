"""Least squares in closed form, against the formula and scikit-learn."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression, Ridge

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.engine.trainer import Trainer
from dltool.models.linear import Linear
from dltool.runs.folder import RunFolder
from dltool.tasks.least_squares import LeastSquaresTask, solve

WORDS = ["model=linear", "task=least_squares", "optim=none", "data.batch_size=full", "trainer.epochs=1"]


class Once:
    """A source of one batch."""

    def __init__(self, inputs, targets):
        self.batch = Batch(inputs, targets, len(targets))

    def draw(self):
        return self.batch


def solved(inputs: torch.Tensor, targets: torch.Tensor, spec: DataSpec, *, bias: bool = True, ridge: float = 0.0):
    task = LeastSquaresTask(Linear(spec, bias=bias), None, spec, ridge=ridge)
    logs = task.train_step(Once(inputs, targets), {})
    return task.model.linear, {name: mean.value() for name, mean in logs.items()}


def fit(config: Config, folder: Path) -> Trainer:
    trainer = build_trainer(prepare(config), RunFolder(folder))
    trainer.fit()
    return trainer


def test_a_line_by_hand():
    """Through (0, 1), (1, 3), (2, 4): slope Σ(x - 1)(y - 8/3) / Σ(x - 1)² = 3/2, and 8/3 - 3/2 at zero."""
    spec = DataSpec((1,), "numbers", output_dim=1)
    points = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[1.0], [3.0], [4.0]])
    layer, logs = solved(*points, spec)
    assert layer.weight.item() == pytest.approx(1.5)
    assert layer.bias.item() == pytest.approx(8 / 3 - 1.5)
    assert logs == pytest.approx({"loss": (1 / 36 + 4 / 36 + 1 / 36) / 3}, rel=1e-5)
    assert solved(*points, spec, bias=False)[0].weight.item() == pytest.approx(11 / 5)  # Σxy / Σx²
    assert solved(*points, spec, ridge=2.0)[0].weight.item() == pytest.approx(3 / 4)  # 3 / (2 + ridge)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("ridge", [0.0, 7.0])
def test_equals_scikit_learn_also_where_columns_depend_on_each_other(bias, ridge):
    draw = torch.Generator().manual_seed(0)
    inputs = torch.randn(40, 5, generator=draw, dtype=torch.float64)
    inputs[:, 3], inputs[:, 4] = 0, inputs[:, 0] + inputs[:, 1]
    targets = torch.randn(40, 2, generator=draw, dtype=torch.float64)
    weight, offset = solve(inputs, targets, ridge, centered=bias)
    theirs = Ridge(alpha=ridge, fit_intercept=bias) if ridge else LinearRegression(fit_intercept=bias)
    theirs.fit(inputs.numpy(), targets.numpy())
    np.testing.assert_allclose(weight.numpy(), theirs.coef_, atol=1e-12)
    np.testing.assert_allclose(offset.numpy(), theirs.intercept_, atol=1e-12)


def test_a_run_has_the_metrics_of_any_other(configure: Callable[..., Config], tmp_path: Path) -> None:
    trainer = fit(configure(*WORDS, "data=diabetes", "task.metrics=[rmse,r2]"), tmp_path)
    assert (trainer.progress.step, trainer.stopped_by) == (1, "epochs")
    split = {name: (s.inputs.numpy(), s.targets.numpy()) for name, s in trainer.data.splits.items()}
    theirs = LinearRegression().fit(*split["train"])
    for name in ("val", "test"):
        assert trainer.progress.metrics[f"{name}/r2"] == pytest.approx(theirs.score(*split[name]), rel=1e-5)
        assert {f"{name}/loss", f"{name}/rmse"} <= trainer.progress.metrics.keys()


def test_classes_by_their_codes(configure: Callable[..., Config], tmp_path: Path) -> None:
    trainer = fit(configure(*WORDS, "data=digits", "data.resize=null"), tmp_path)
    assert trainer.task.model.linear.weight.shape == (10, 64)
    assert trainer.progress.metrics["test/accuracy"] > 0.9


@pytest.mark.parametrize("words", [["data.batch_size=64"], ["trainer.epochs=2"]])
def test_one_step_over_all_samples(words: list[str], configure: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError, match="solves in one step") as error:
        configure(*WORDS, "data=diabetes", *words)
    assert error.value.hint == "data.batch_size=full trainer.epochs=1"
