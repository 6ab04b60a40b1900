"""A loss that still falls when the learning rate has run out is reported."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.engine.observer import Outcome
from dltool.observers.unfinished import UnfinishedTraining, is_falling
from dltool.runs.folder import RunFolder

Configure = Callable[..., Config]
NUM_EPOCHS = 60
RATES = [0.5 * (1 + math.cos(math.pi * epoch / NUM_EPOCHS)) for epoch in range(NUM_EPOCHS)]
TIMES = np.cumsum(RATES)


@pytest.mark.parametrize(
    ("loss", "falling"),
    [
        (lambda time: 1 - 0.001 * time, True),  # A straight line, however little it falls.
        (lambda time: math.exp(-time), True),
        (lambda time: math.exp(-4 * time), False),  # Has come to 2 % of its way.
        (lambda time: 1.0, False),
        (lambda time: 0.5 + abs(time - 0.6), False),  # Overfits.
        (lambda time: 0.5 + min(time, 0.6) - 0.1 * max(time - 0.6, 0) - 0.4 * (time < 0.1), False),  # Less in the end.
    ],
)
def test_time_is_the_sum_of_the_learning_rate(loss: Callable[[float], float], falling: bool) -> None:
    """The cosine flattens the end of each of these curves in steps."""
    assert is_falling([(time, loss(time / TIMES[-1])) for time in TIMES]) == falling


@pytest.mark.parametrize("level", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("power", [0.5, 1.0])
def test_a_loss_that_falls_with_the_rate_alone_is_not_falling(level: float, power: float) -> None:
    """Noise, or too large a rate, keeps the loss at a level that depends on the rate."""
    start = 3 * np.exp(-np.arange(NUM_EPOCHS))
    losses = 1 + level * np.array(RATES) ** power + start
    assert not is_falling(list(zip(TIMES, losses, strict=True)))


def test_a_late_fall_at_a_constant_rate_is_a_fall() -> None:
    times = range(1, NUM_EPOCHS + 1)
    assert is_falling([(time, 1.0 if time < 30 else 1 - 0.02 * (time - 30)) for time in times])


def test_noise_is_not_a_fall() -> None:
    curves = np.random.default_rng(0).normal(1, 0.1, (200, NUM_EPOCHS))
    fired = sum(is_falling(list(zip(TIMES, curve, strict=True))) for curve in curves)
    assert fired <= 10


def test_a_few_evaluations_show_nothing() -> None:
    assert not is_falling([])
    assert not is_falling([(time, 1 - time) for time in (0.2, 0.4, 0.6, 1.0)])


def warnings_of(config: Config, folder: Path) -> list[str]:
    said: list[str] = []
    trainer = build_trainer(prepare(config), RunFolder(folder))
    trainer.observers = [observer := UnfinishedTraining(said.append)]
    trainer.fit()
    observer.on_outcome(Outcome("finished", trainer.stopped_by))
    return said


def test_thirty_epochs_of_adam_are_too_few_for_diabetes(configure: Configure, tmp_path: Path) -> None:
    plain = ["model=linear", "data=diabetes", "data.target_scaling=none", "optim=adam", "trainer=every_epoch"]
    assert warnings_of(configure(*plain), tmp_path) == [
        "val/loss was still falling when the learning rate ran out; train longer: trainer.epochs=60"
    ]


def test_enough_steps_say_nothing(configure: Configure, tmp_path: Path) -> None:
    assert not warnings_of(configure("model=linear", "data=diabetes", "trainer.steps=600"), tmp_path / "linear")
    assert not warnings_of(
        configure("model=mlp", "data=digits", "trainer.epochs=20", "data.augment.shift=0"), tmp_path / "digits"
    )


def test_an_early_stop_says_nothing(configure: Configure, tmp_path: Path) -> None:
    said: list[str] = []
    observer = UnfinishedTraining(said.append)
    trainer = build_trainer(prepare(configure("model=linear", "data=iris", "trainer.epochs=20")), RunFolder(tmp_path))
    trainer.observers = [observer]
    trainer.fit()
    observer.on_outcome(Outcome("finished", "patience"))
    observer.on_outcome(Outcome("interrupted"))
    assert not said
