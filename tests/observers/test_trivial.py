"""A model that is not better than a prediction without a model is reported, and no other."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.engine.trainer import Trainer
from dltool.observers.trivial import TrivialComparison
from dltool.runs.folder import RunFolder

Configure = Callable[..., Config]


@pytest.fixture
def warnings_of(configure: Configure, tmp_path: Path) -> Callable[..., list[str]]:
    """The warnings of a training with these overrides."""

    def train(*overrides: str) -> list[str]:
        parts, said = prepare(configure(*overrides)), list[str]()
        trainer: Trainer = build_trainer(parts, RunFolder(tmp_path / f"run{len(list(tmp_path.iterdir()))}"))
        trainer.observers = [TrivialComparison(said.append, parts.dataset)]
        trainer.fit()
        assert not trainer.task.watchers
        return said

    return train


def test_thirty_epochs_of_adam_leave_diabetes_worse_than_the_mean(warnings_of: Callable[..., list[str]]) -> None:
    plain = ["model=linear", "data=diabetes", "data.target_scaling=none", "optim=adam", "trainer=every_epoch"]
    (warning,) = warnings_of(*plain)
    assert warning.startswith(
        "test: the model is not better than predicting the mean of the training targets, by two standard errors: its "
        "mean squared error is 5."
    )
    assert warning.endswith("of that (88 test samples)")
    assert not warnings_of("model=linear", "data=diabetes", "trainer.steps=300")


def test_a_classifier_of_digits_is_better_after_an_epoch(warnings_of: Callable[..., list[str]]) -> None:
    assert not warnings_of("model=lenet", "optim=adam", "trainer.epochs=1")


def test_the_accuracy_of_the_most_frequent_class_is_not_enough(
    warnings_of: Callable[..., list[str]], tmp_path: Path
) -> None:
    """Nine of ten are ok, and the input says nothing of it."""
    x = np.random.default_rng(0).normal(size=400)
    rows = [f"{value:.4f},{'fraud' if i % 10 == 0 else 'ok'}" for i, value in enumerate(x)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *rows]))
    table = ["data=csv", f"data.path={tmp_path / 't.csv'}", "data.target=y"]
    (warning,) = warnings_of("model=logistic", *table, "trainer.steps=100")
    assert "the most frequent class, by two standard errors: accuracy 0.9" in warning


def test_a_forecast_is_compared_with_the_last_value(warnings_of: Callable[..., list[str]], tmp_path: Path) -> None:
    """A random walk is predicted best by its last value; a sine wave is not."""
    time = np.arange(600)
    for name, values in (
        ("walk", 1e6 + np.random.default_rng(0).normal(size=600).cumsum()),
        ("wave", np.sin(time / 3)),
    ):
        rows = [f"{t % 7},{value:.5f}" for t, value in zip(time, values, strict=True)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["day,value", *rows]))
    series = ["model=rnn", "data=series", "data.target=[value]", "data.horizon=2", "trainer.steps=300"]
    (warning,) = warnings_of(*series, f"data.path={tmp_path / 'walk.csv'}")
    assert "the last value of the series" in warning
    assert not warnings_of(*series, f"data.path={tmp_path / 'wave.csv'}")


def test_the_last_value_is_that_of_the_target_column(configure: Configure, tmp_path: Path) -> None:
    rows = [f"{i},{100 + 3 * i}" for i in range(100)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b", *rows]))
    path = f"data.path={tmp_path / 't.csv'}"
    parts = prepare(configure("model=rnn", "data=series", path, "data.target=[b]", "data.horizon=2"))
    batch = next(parts.dataset.evaluation("test"))
    naive, *seasonal = parts.dataset.baselines("test")
    assert not seasonal  # The rows have no time, so no season is known.
    trivial = naive.values[: batch.size]
    in_units, targets = parts.spec.in_units(trivial), parts.spec.in_units(batch.targets)
    assert torch.allclose(targets - in_units, torch.tensor([3.0, 6.0], dtype=torch.float64), atol=1e-3)


def test_a_language_model_is_compared_with_the_frequencies_of_tokens(
    warnings_of: Callable[..., list[str]], tmp_path: Path
) -> None:
    letters = np.random.default_rng(0).choice(list("aaab"), size=20_000)
    (tmp_path / "random.txt").write_text("".join(letters))
    (tmp_path / "regular.txt").write_text("ab" * 10_000)
    text = ["model=gpt", "data=text", "data.test_fraction=0.1", "trainer.steps=60", "model.depth=1", "model.dim=32"]
    (warning,) = warnings_of(*text, f"data.path={tmp_path / 'random.txt'}")
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert "the frequency of each token" in warning
    assert float(warning.split("and ")[1].split()[0]) == pytest.approx(entropy, abs=0.03)
    assert not warnings_of(*text, f"data.path={tmp_path / 'regular.txt'}")


def test_samples_that_are_all_that_exist_need_no_standard_error(warnings_of: Callable[..., list[str]]) -> None:
    """XOR has four rows; a model with all of them right is better than one half."""
    assert warnings_of("model=logistic", "data=logic", "data.function=xor", "trainer.steps=50")
    assert not warnings_of("model=mlp", "data=logic", "data.function=xor", "trainer.steps=300", "optim.lr=0.01")


def test_a_gan_is_not_compared(warnings_of: Callable[..., list[str]]) -> None:
    assert not warnings_of("model=gan", "data=gaussians", "data.num_samples=500", "trainer.steps=5")
