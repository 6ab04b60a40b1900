"""The default length of a training."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dltool.build.parts import Parts, describe
from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.runs.folder import RunFolder

Configure = Callable[..., Config]


@pytest.fixture
def table(tmp_path: Path) -> Callable[[int], list[str]]:
    """`table(20)` writes a table of 20 rows, y = 2 x + noise, and gives the overrides that select it."""

    def write(num_rows: int) -> list[str]:
        rng = np.random.default_rng(0)
        x = rng.normal(size=num_rows)
        path = tmp_path / "table.csv"
        np.savetxt(
            path, np.stack([x, 2 * x + 0.1 * rng.normal(size=num_rows)], 1), delimiter=",", header="x,y", comments=""
        )
        return ["model=mlp", "data=csv", f"data.path={path}", "data.target=y"]

    return write


def length(parts: Parts) -> tuple[int | None, int, int | None, str]:
    settings = parts.settings
    return settings.epochs, settings.evaluate_every_n_epochs, settings.checkpoint.every_n_epochs, settings.test


@pytest.mark.parametrize(
    ("num_rows", "steps_per_epoch", "epochs", "every"),
    [(20, 1, 2000, 40), (90, 1, 2000, 40), (600, 7, 286, 6), (6000, 66, 31, 1), (20_000, 219, 30, 1)],
)
def test_every_size_gets_two_thousand_steps_and_at_most_fifty_evaluations(
    num_rows: int,
    steps_per_epoch: int,
    epochs: int,
    every: int,
    table: Callable[[int], list[str]],
    configure: Configure,
) -> None:
    parts = prepare(configure(*table(num_rows)))
    assert parts.dataset.train.batches_per_epoch == steps_per_epoch
    test = "best" if num_rows >= 100 else "last"
    assert length(parts) == (epochs, every, every, test)
    assert epochs * steps_per_epoch >= 2000
    assert epochs / every <= 50


def test_the_choice_is_printed_with_its_reason_and_recorded(
    table: Callable[[int], list[str]], configure: Configure
) -> None:
    parts = prepare(configure(*table(600)))
    (line,) = [note for note in describe(parts) if note.startswith("length")]
    assert line == (
        "length     286 epochs of 7 steps (at least 2,000 steps), or until it overfits, evaluated every 6 epochs, "
        "tested with the best weights by val/loss"
    )
    recorded = {key: value for key, value in parts.auto.items() if key in KEYS}
    assert recorded == {
        "trainer.epochs": 286,
        "trainer.stop_when_overfit": True,
        "trainer.evaluate_every_n_epochs": 6,
        "trainer.test": "best",
        "trainer.checkpoint.every_n_epochs": 6,
        "trainer.checkpoint.metric": None,
    }


KEYS = (
    *("trainer.epochs", "trainer.stop_when_overfit", "trainer.evaluate_every_n_epochs", "trainer.test"),
    *("trainer.checkpoint.every_n_epochs", "trainer.checkpoint.metric"),
)


def test_explicit_values_win(configure: Configure, tmp_path: Path) -> None:
    """A number of steps alone is the length, not at most thirty epochs of them."""
    epochs = prepare(configure("model=mlp", "data=iris", "trainer.epochs=7"))
    assert length(epochs)[:2] == (7, 1)
    steps = prepare(configure("model=mlp", "data=iris", "trainer.steps=500"))
    assert length(steps)[:3] == (None, 5, 5)  # 250 epochs of 2 steps.
    assert steps.auto["trainer.epochs"] is None
    trainer = build_trainer(steps, RunFolder(tmp_path))
    assert (trainer.progress.total_steps, trainer.progress.total_epochs) == (500, None)
    both = prepare(configure("model=mlp", "data=iris", "trainer.steps=500", "trainer.epochs=3"))
    assert length(both)[0] == 3
    fixed = prepare(configure("model=mlp", "data=iris", "trainer=every_epoch"))
    assert length(fixed) == (30, 1, 1, "last")
    assert not any(note.startswith("length") for note in describe(fixed))
    assert not set(KEYS) & set(fixed.auto)


def test_a_length_without_end_is_still_evaluated(configure: Configure) -> None:
    """A rule may end it: a fiftieth of a million epochs would be too late."""
    endless = prepare(configure("model=mlp", "data=iris", "trainer.epochs=1000000", "stop.patience=5"))
    assert length(endless)[1:3] == (500, 500)  # 1,000 steps.


def test_large_batches_get_as_many_samples_instead_of_as_many_steps(configure: Configure) -> None:
    parts = prepare(configure("model=mlp", "data=moons", "data.num_samples=40000", "data.batch_size=full"))
    assert parts.settings.epochs == math.ceil(2000 * 512 / 28_000)
    small = prepare(configure("model=mlp", "data=moons", "data.num_samples=500", "data.batch_size=full"))
    assert small.settings.epochs == 2000


def test_short_epochs_for_a_trial_keep_their_number(configure: Configure) -> None:
    assert prepare(configure("model=mlp", "data=iris", "trainer.limit_batches=1")).settings.epochs == 30


def test_the_default_run_is_as_long_as_before(configure: Configure) -> None:
    parts = prepare(configure("model=lenet", "optim=adam"))
    assert length(parts) == (30, 1, 1, "best")


def test_weights_are_chosen_by_loss_unless_metrics_are_requested(configure: Configure) -> None:
    """The accuracy of few samples has many ties; a requested metric, or one of the task's own, is followed."""
    metric = lambda *overrides: prepare(configure(*overrides)).settings.checkpoint.metric  # noqa: E731
    assert metric("model=mlp", "data=iris") == "val/loss"
    assert metric("model=mlp", "data=iris", "task.metrics=[f1_macro]") is None
    assert metric("model=mlp", "data=iris", "trainer.checkpoint.metric=val/accuracy") == "val/accuracy"
    assert metric("model=lenet", "task=adversarial", "attack=fgsm", "attack.eps=0.1") is None


def test_a_task_without_an_objective_tests_its_last_weights(configure: Configure) -> None:
    assert prepare(configure("model=gan")).settings.test == "last"
    assert prepare(configure("model=perceptron", "data=logic")).settings.test == "last"
    assert prepare(configure("model=mlp", "data=iris", "trainer.checkpoint.keep_best=0")).settings.test == "last"
    assert prepare(configure("model=mlp", "data=iris", "data.val_fraction=0")).settings.test == "last"


@pytest.mark.parametrize(("data", "metric", "bound"), [("diabetes", "rmse", 59.5), ("line", "rmse", 0.112)])
def test_a_linear_model_ends_at_least_squares(
    data: str, metric: str, bound: float, configure: Configure, tmp_path: Path
) -> None:
    """58.3 and 0.109 by the closed form; with thirty epochs of Adam at 0.001, 172 and 1.9."""
    trainer = build_trainer(prepare(configure("model=linear", f"data={data}")), RunFolder(tmp_path))
    trainer.fit()
    assert trainer.progress.metrics[f"test/{metric}"] < bound


def test_a_perceptron_with_a_hidden_layer_learns_xor(configure: Configure, tmp_path: Path) -> None:
    trainer = build_trainer(prepare(configure("model=mlp", "data=logic", "data.function=xor")), RunFolder(tmp_path))
    trainer.fit()
    assert trainer.progress.metrics["test/accuracy"] == 1.0
