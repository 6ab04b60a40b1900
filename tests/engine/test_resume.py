"""A training that stopped and went on equals one that never stopped, bit by bit, for every task.

Some of the trainings that stop are measured by diagnostics; the one that does not stop is not measured.
"""

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from every_task import TASKS
from states import same_state
from synthetic_texts import write_every_text

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.core.errors import DataError
from dltool.diagnostics.store import read_weights, weight_files
from dltool.engine.observer import Observer, Watched
from dltool.engine.signals import Interrupted
from dltool.engine.trainer import Trainer
from dltool.observers.csv_log import CsvLog
from dltool.observers.jsonl import JsonlLog, cut_back
from dltool.observers.standard import build_diagnostics
from dltool.runs.folder import RunFolder
from dltool.runs.records import read_records

# All in play, and none that fires before the end.
EVERY_RULE = [
    *("stop.max_minutes=60", "stop.target=1.01", "stop.patience=100", "stop.loss_change=1e-9"),
    *("stop.num_evaluations=1", "stop.gradient_norm=1e-9", "stop.update_norm=1e-9", "stop.every_n_steps=2"),
]
FEATURES = {
    "accumulate": ["trainer.accumulate=3", "trainer.clip_norm=1"],
    "per-step schedule": ["schedule=one_cycle", "optim.lr=0.01"],
    "plateau": ["schedule=plateau", "schedule.patience=0", "schedule.threshold=0.5"],
    "early stopping": ["stop.patience=2", "stop.min_delta=0.9"],
    "every rule that stops": [*EVERY_RULE, "trainer.clip_norm=1"],
    "full gradient": ["stop.gradient_norm=1e-6", "stop.gradient=full", "stop.every_n_steps=2"],
    "stopped by the gradient": ["stop.gradient_norm=100", "stop.every_n_steps=9"],
    "stopped by the change of the loss": ["stop.loss_change=0.5", "stop.num_evaluations=2"],
    "ema": ["trainer.average.kind=ema", "trainer.average.decay=0.9", "trainer.average.every_n_steps=3"],
    "swa": ["trainer.average.kind=swa", "trainer.average.start=0.2", "model.norm=batch", "trainer.test=best"],
    "fp16": ["trainer.precision=16-mixed", "optim.lr=0.01"],
    "bf16": ["trainer.precision=bf16-mixed"],
    "momentum": ["optim=sgd", "optim.momentum=0.9", "schedule=cosine", "schedule.interval=epoch"],
    "learning rate in the velocity": ["optim=sgd", "optim.momentum=0.9", "optim.lr_in_velocity=true"],
    "epsilon inside the root": ["optim=rmsprop", "optim.eps_inside_root=true", "optim.centered=true"],
    "metrics": ["task.metrics=[f1_macro,auroc,calibration_error]", "schedule=plateau", "trainer.test=best"],
    "muon": ["optim=muon"],
    "muon beside sgd": ["optim=muon", "optim.other=sgd", "optim.renormalize=true", "model.hidden=[8,8]"],
    "frozen parts and rates": [
        *("model.norm=batch", "model.freeze=[layers.0,layers.1]", "optim.lr_factors={*.bias:0.1}"),
        *("trainer.average.kind=swa", "trainer.average.start=0.2", "optim.decay_bias_norm=false"),
    ],
    "no shuffle": ["data.shuffle=false"],
    "full batch, LBFGS": ["optim=lbfgs", "data.batch_size=full"],
}


def make_trainer(config: Config, folder: Path, *, measured: bool = False) -> Trainer:
    parts = prepare(config)
    run = RunFolder(folder)
    trainer = build_trainer(parts, run)
    trainer.observers = [JsonlLog(folder / "metrics.jsonl"), CsvLog(run, pytest.fail)]
    if measured:
        watched = Watched(run.files, parts.spec, "mlp", "moons", pytest.fail, pytest.fail)
        trainer.observers.append(build_diagnostics(parts, watched))
    return trainer


def train(config: Config, folder: Path, stop_at: int | None = None, *, measured: bool = False) -> Trainer:
    """Train from the folder's newest checkpoint, if any, until the end or a signal during step `stop_at`."""
    folder.mkdir(exist_ok=True)
    trainer = make_trainer(config, folder, measured=measured)
    checkpoint = trainer.checkpoints.newest(pytest.fail)
    if checkpoint is not None:
        trainer.load(checkpoint)
        cut_back(folder / "metrics.jsonl", trainer.num_records)
    take_step = trainer.task.train_step

    def train_step(*args: Any) -> Any:
        if trainer.progress.step + 1 == stop_at:
            trainer.signals.received = 15
        return take_step(*args)

    trainer.task.train_step = train_step  # type: ignore[method-assign]
    if stop_at is None:
        trainer.fit()
    else:
        with pytest.raises(Interrupted):
            trainer.fit()
        assert trainer.progress.step == stop_at
    return trainer


def assert_same(left: Trainer, right: Trainer) -> None:
    assert same_state(left.task.model.state_dict(), right.task.model.state_dict())
    states = [trainer.state_dict() for trainer in (left, right)]
    for state in states:
        del state["seconds"]
    assert same_state(*states)
    assert left.progress.metrics == right.progress.metrics or "nan" in str(left.progress.metrics)


def assert_same_logs(left: Path, right: Path) -> None:
    for name in ("metrics.jsonl", "metrics.csv"):
        assert (left / name).read_bytes() == (right / name).read_bytes()


def check_resume(config: Config, tmp_path: Path, stops: list[int], measured: Sequence[int] = ()) -> None:
    whole = train(config, tmp_path / "whole")
    for stop_at in stops:
        folder = tmp_path / f"stopped-{stop_at}"
        train(config, folder, stop_at, measured=stop_at in measured)
        assert_same(whole, train(config, folder, measured=stop_at in measured))
        assert_same_logs(folder, tmp_path / "whole")
    assert len({measurements(tmp_path / f"stopped-{stop_at}") for stop_at in measured}) == min(len(measured), 1)


def measurements(folder: Path) -> tuple[bytes, ...]:
    """The diagnostics of a run: what happened in its layers, and the weights of some steps."""
    store = folder / "diagnostics"
    layers = store / "layers.jsonl"
    weights = {f"{step} {name}": t for step, path in weight_files(store) for name, t in read_weights(path).items()}
    assert weights
    return (
        layers.read_bytes() if layers.exists() else b"",
        *(name.encode() + weights[name].numpy().tobytes() for name in sorted(weights)),
    )


@pytest.mark.parametrize("task", TASKS)
def test_every_task(task: str, configure: Callable[..., Config], tmp_path: Path) -> None:
    write_every_text(tmp_path / "texts")
    words = [word.replace("{texts}", str(tmp_path / "texts")) for word in TASKS[task]]
    diagnostics = [
        "diagnostics=full",
        "diagnostics.num_samples=5",
        "diagnostics.every_n_steps=3",
        "logger.plots=false",
    ]
    config = configure(*words, "trainer.epochs=3", "logger.every_n_steps=3", *diagnostics)
    epoch = make_trainer(config, tmp_path).steps_per_epoch
    stops = sorted({1, epoch // 2, epoch - 1, epoch, epoch + 1, 2 * epoch} - {0})
    check_resume(config, tmp_path, stops, measured=[stops[0], stops[-1]])


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature(feature: str, configure: Callable[..., Config], tmp_path: Path) -> None:
    config = configure(*TASKS["supervised"], *FEATURES[feature], "trainer.epochs=5", "logger.every_n_steps=3")
    epoch = make_trainer(config, tmp_path).steps_per_epoch
    check_resume(config, tmp_path, [epoch // 2 + 1, epoch + 1])


def test_another_vocabulary_is_refused(configure: Callable[..., Config], tmp_path: Path) -> None:
    """The same number of letters, in which each now stands for another."""
    (tmp_path / "text.txt").write_text("abcabcabca" * 100)
    words = ["model=gpt", "model.dim=8", "model.depth=1", "model.num_heads=2", "data=text", "data.length=8"]
    config = configure(*words, f"data.path={tmp_path}/text.txt", "trainer.epochs=null", "trainer.steps=3")
    train(config, tmp_path / "run", stop_at=2)
    (tmp_path / "text.txt").write_text("abdabdabda" * 100)
    with pytest.raises(DataError, match=r"tokenisers of the data \(SHA-256 \w{12}…\) are not those .*SHA-256 \w{12}…"):
        train(config, tmp_path / "run")


def test_a_training_by_steps(configure: Callable[..., Config], tmp_path: Path) -> None:
    config = configure(*TASKS["supervised"], "trainer.epochs=null", "trainer.steps=17")
    whole = train(config, tmp_path / "once")
    assert (whole.progress.step, whole.stopped_by) == (17, "steps")
    assert "val/accuracy" in whole.progress.metrics
    check_resume(config, tmp_path, [5, 16])


def test_least_squares_stopped_after_its_one_step(configure: Callable[..., Config], tmp_path: Path) -> None:
    words = ["model=linear", "data=diabetes", "task=least_squares", "optim=none", "data.batch_size=full"]
    check_resume(configure(*words, "trainer.epochs=1", "task.metrics=[r2]"), tmp_path, [1])


def test_a_signal_while_observers_start(configure: Callable[..., Config], tmp_path: Path) -> None:
    """The training has begun as far as anybody can see: it is interrupted, and has not failed."""

    class SlowToStart(Observer):
        def on_start(self, *_: Any) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    config = configure(*TASKS["supervised"], "trainer.epochs=2")
    whole, folder = train(config, tmp_path / "whole"), tmp_path / "stopped"
    folder.mkdir()
    trainer = make_trainer(config, folder)
    trainer.observers = [SlowToStart(), *trainer.observers]
    with pytest.raises(Interrupted):
        trainer.fit()
    assert trainer.progress.step == 1
    assert_same(whole, train(config, folder))


def test_interrupted_evaluation_is_made_anew(configure: Callable[..., Config], tmp_path: Path) -> None:
    config = configure(*TASKS["supervised"], "trainer.epochs=2", "data.eval_batch_size=2")
    whole = train(config, tmp_path / "whole")
    folder = tmp_path / "stopped"
    folder.mkdir()
    trainer = make_trainer(config, folder)
    evaluate = trainer.task.evaluate

    def stop_in_the_middle(batch: Any) -> Any:
        trainer.signals.received = 2
        return evaluate(batch)

    trainer.task.evaluate = stop_in_the_middle  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        trainer.fit()
    assert trainer.progress.epoch == 0
    assert trainer.task.model.training
    assert_same(whole, train(config, folder))


def test_longer_than_before_follows_the_longer_schedule(configure: Callable[..., Config], tmp_path: Path) -> None:
    """Twice as many epochs: the learning rate is the one that the longer schedule has at that step."""
    base = [*TASKS["supervised"], "schedule=cosine", "optim=sgd", "optim.lr=1", "trainer.checkpoint.every_n_steps=1"]
    folder = tmp_path / "run"
    short = train(configure(*base, "trainer.epochs=2"), folder)
    longer = train(configure(*base, "trainer.epochs=4"), folder)
    assert short.progress.epoch == 2
    assert longer.progress.epoch == 4
    rates = [r["train/lr"] for r in read_records(folder / "metrics.jsonl") if r["split"] == "train"]
    assert rates[1] < 0.02  # The short one had come to its end,
    assert rates[2] > 0.1  # the longer one is in the middle of its own.


def test_interrupted_final_test_is_made_on_resume(configure: Callable[..., Config], tmp_path: Path) -> None:
    """By steps and in mid-pass, where the final evaluation has been made and must not be made twice."""
    config = configure(*TASKS["supervised"], "trainer.epochs=null", "trainer.steps=10")
    train(config, tmp_path / "whole")
    folder = tmp_path / "stopped"
    folder.mkdir()
    trainer = make_trainer(config, folder)
    evaluate = trainer.evaluate

    def stop_in_the_test(split: str) -> dict[str, float]:
        if split == "test":
            trainer.signals.received = 2
        return evaluate(split)

    trainer.evaluate = stop_in_the_test  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        trainer.fit()
    resumed = train(config, folder)
    assert resumed.tested == "step-000010"
    assert_same_logs(folder, tmp_path / "whole")
