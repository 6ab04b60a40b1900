"""Each rule fires where it should, says what it saw, and takes other settings on resume."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.engine.clock import Clock
from dltool.engine.observer import Observer, Progress
from dltool.engine.stopping import LossChange, MaxMinutes, Overfitting, Patience, Stopping, Target
from dltool.engine.trainer import Trainer
from dltool.runs.folder import RunFolder
from dltool.tasks.task import Task

NAN = float("nan")
IRIS = ["model=mlp", "model.hidden=[8]", "data=iris", "data.batch_size=16", "optim.lr=0.01"]


def show(rule: Any, name: str, values: list[float]) -> list[bool]:
    """Whether the rule is satisfied after each value."""
    fired = []
    for value in values:
        rule.observe({"step": 1, name: value})
        rule.observe({"step": 1, "other/loss": 0.0})  # Of no interest to it.
        fired.append(rule.reason() is not None)
    return fired


def test_target_in_both_directions() -> None:
    up = Target("val/accuracy", "max", 0.9)
    assert show(up, "val/accuracy", [NAN, 0.8, 0.9, 0.91]) == [False, False, True, True]
    assert up.reason() == "val/accuracy reached 0.91 (stop.target=0.9)"
    assert show(Target("train/loss", "min", 0.1), "train/loss", [NAN, 0.2, 0.1, 0.0]) == [False, False, True, True]
    assert Target("val/accuracy", "max", 0.0).reason() is None  # Nothing was seen.


def test_patience_counts_evaluations_in_a_row() -> None:
    rule = Patience("val/loss", "min", 2, min_delta=0.1)
    assert show(rule, "val/loss", [1.0, 0.95, 0.8, 0.75, NAN]) == [False, False, False, False, True]
    assert rule.reason() == "val/loss did not improve on 0.8 for 2 evaluations (stop.patience=2)"
    assert show(Patience("val/loss", "min", 1), "val/loss", [NAN]) == [True]


def test_loss_change_is_the_spread_of_the_newest_values() -> None:
    rule = LossChange("val/loss", 0.1, num_evaluations=2)
    assert show(rule, "val/loss", [3.0, 1.0, 1.04, 0.96, 0.95]) == [False, False, False, True, True]
    assert rule.reason() == "val/loss changed by 0.09 over 2 evaluations (stop.loss_change=0.1)"
    assert show(LossChange("val/loss", 0.1, 1), "val/loss", [NAN, 1.0, 1.0]) == [False, False, True]


def memorize(rule: Overfitting, losses: list[tuple[float, float]]) -> list[bool]:
    """Whether the rule is satisfied after each pair of training and validation loss."""
    fired = []
    for training, validation in losses:
        rule.observe({"train/loss": training})
        rule.observe({"val/loss": validation})
        fired.append(rule.reason() is not None)
    return fired


def test_overfitting_is_a_grown_validation_loss_with_a_fallen_training_loss() -> None:
    rule = Overfitting()
    assert memorize(rule, [(0.6, 0.5), (0.2, 0.8), (0.1, 0.9), (0.1, 0.9), (0.1, 1.0)]) == [False] * 5
    state = json.loads(json.dumps(rule.state_dict()))
    rule = Overfitting()
    rule.load_state_dict(state)
    assert memorize(rule, [(0.1, 1.1)]) == [True]
    assert rule.reason() == (
        "val/loss was above 1.5 times its minimum of 0.5 for 5 evaluations, while train/loss fell to less than half "
        "(trainer.stop_when_overfit=true)"
    )


@pytest.mark.parametrize(
    "losses",
    [
        pytest.param([(0.5, 0.1), *[(0.4, 0.9)] * 20], id="a lucky minimum of a noisy loss"),
        pytest.param([(0.5, 0.4), *[(0.01, 0.5)] * 20], id="a validation loss that stays near its minimum"),
        pytest.param(
            [(0.5, 0.4), *[(0.1, 0.9), (0.1, 0.9), (0.1, 0.9), (0.1, 0.9), (0.1, 0.5)] * 5], id="not in a row"
        ),
        pytest.param([(-0.5, -0.4), *[(-9.0, 0.9)] * 20], id="losses below zero have no ratio"),
        pytest.param([(NAN, NAN)] * 20, id="NaN"),
    ],
)
def test_what_is_not_overfitting(losses: list[tuple[float, float]]) -> None:
    assert not any(memorize(Overfitting(), losses))


def test_minutes_count_those_of_earlier_processes() -> None:
    clock = Clock(before=299.0)
    assert MaxMinutes(clock, 5).reason() is None
    clock.before = 300.0
    assert "(stop.max_minutes=5)" in str(MaxMinutes(clock, 5).reason())


@pytest.mark.parametrize(
    ("first", "values", "looser", "other_subject"),
    [
        (Target("val/loss", "min", 1.0), [0.9], Target("val/loss", "min", 0.5), Target("val/mae", "min", 1.0)),
        (Patience("val/loss", "min", 1), [1.0, 2.0], Patience("val/loss", "min", 3), Patience("val/mae", "min", 1)),
        (LossChange("val/loss", 1, 1), [1, 1.5], LossChange("val/loss", 0.1, 1), LossChange("train/loss", 1, 1)),
    ],
)
def test_a_resume_with_another_threshold_goes_on(first: Any, values: Any, looser: Any, other_subject: Any) -> None:
    assert show(first, "val/loss", values)[-1]
    state = json.loads(json.dumps(Stopping([first]).state_dict()))
    same = type(first)(**{k: v for k, v in vars(first).items() if k in ("direction", "target", "patience")}
                       | {k: v for k, v in vars(first).items() if k in ("loss_change", "num_evaluations")}
                       | {"metric": first.subject})  # fmt: skip
    for rule, fires in ((same, True), (looser, False), (other_subject, False)):
        stopping = Stopping([rule])
        stopping.load_state_dict(state)
        assert (stopping.decision() is not None) == fires
    Stopping([]).load_state_dict(state)
    Stopping([looser]).load_state_dict({})


def make(config: Config, folder: Path) -> Trainer:
    return build_trainer(prepare(config), RunFolder(folder))


@pytest.mark.parametrize(
    ("rules", "stopped_by", "mid_pass"),
    [
        (["stop.target=0.6"], "target", False),
        (["stop.metric=train/loss", "stop.target=0.8"], "target", False),
        (["stop.loss=val", "stop.loss_change=10", "stop.num_evaluations=1"], "loss_change", False),
        (["stop.gradient_norm=100", "stop.every_n_steps=3"], "gradient_norm", True),
        (["stop.update_norm=100", "stop.every_n_steps=3", "stop.target=1.01"], "update_norm", True),
        (["stop.max_minutes=1e-9"], "max_minutes", True),
    ],
)
def test_a_training_ends_as_at_its_normal_end(
    rules: list[str], stopped_by: str, mid_pass: bool, configure: Callable[..., Config], tmp_path: Path
) -> None:
    trainer = make(configure(*IRIS, *rules), tmp_path)
    trainer.fit()
    assert trainer.stopped_by == stopped_by
    assert f"(stop.{stopped_by}=" in str(trainer.stop_reason)
    assert trainer.progress.epoch < 30
    assert (trainer.source.draws % trainer.source.batches_per_epoch > 0) == (mid_pass and trainer.progress.step > 0)
    assert {"val/accuracy", "test/accuracy"} <= trainer.progress.metrics.keys()
    newest = trainer.checkpoints.newest(pytest.fail)
    assert newest is not None
    assert newest.step == trainer.progress.step
    assert trainer.tested == newest.path.name


def test_a_stopped_training_goes_on_without_the_rule(configure: Callable[..., Config], tmp_path: Path) -> None:
    """And then equals one that never had it, mid-pass too."""
    whole = make(configure(*IRIS, "trainer.epochs=2"), tmp_path / "whole")
    whole.fit()
    make(configure(*IRIS, "trainer.epochs=2", "stop.gradient_norm=9", "stop.every_n_steps=4"), tmp_path / "run").fit()
    trainer = make(configure(*IRIS, "trainer.epochs=2", "stop.gradient_norm=null"), tmp_path / "run")
    checkpoint = trainer.checkpoints.newest(pytest.fail)
    assert checkpoint is not None
    assert checkpoint.step == 4
    trainer.load(checkpoint)
    trainer.fit()
    assert trainer.stopped_by == "epochs"
    assert trainer.progress.metrics == whole.progress.metrics


class Pruner(Observer):
    """Asks to stop at the second evaluation."""

    def on_start(self, task: Task, progress: Progress) -> None:
        self.progress = progress

    def on_record(self, record: dict[str, Any]) -> None:
        if record["split"] == "val" and record["epoch"] == 2:
            self.progress.stop_request = "pruned"


def test_an_observer_may_ask_to_stop(configure: Callable[..., Config], tmp_path: Path) -> None:
    trainer = make(configure(*IRIS, "trainer.epochs=30"), tmp_path)
    trainer.observers = [Pruner()]
    trainer.fit()
    assert (trainer.stopped_by, trainer.progress.epoch) == ("pruned", 2)
    assert trainer.tested is not None


def test_what_a_stopped_run_says(dltool_here: Callable[..., Any], tmp_path: Path) -> None:
    words = ["trainer.threads=1", "trainer.device=cpu", "logger.plots=false", "run.dir=run"]
    done = dltool_here("train", *IRIS, "stop.target=0.6", *words)
    assert done.returncode == 0, done.stderr
    assert "stopped by target: val/accuracy reached" in done.stderr
    assert "dltool resume run stop.target=null" in done.stdout
    status = json.loads((tmp_path / "run" / "status.json").read_text())
    assert status["stopped_by"] == "target"
    assert status["stop_reason"].endswith("(stop.target=0.6)")
    assert "stopped by target" in (tmp_path / "run" / "log.txt").read_text()
    refused = dltool_here("resume", "run")
    assert refused.returncode == 2
    assert "stop.target=0.6" in refused.stderr
    assert "hint: dltool resume run stop.target=null" in refused.stderr
    longer = dltool_here("resume", "run", "stop.target=null", "trainer.epochs=12")
    assert longer.returncode == 0, longer.stderr
    assert json.loads((tmp_path / "run" / "status.json").read_text())["epoch"] == 12
