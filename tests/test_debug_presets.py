"""The presets of configs/debug/ do what is said of them, whatever they are laid over."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config, check
from dltool.config.compose import compose, compose_from
from dltool.core.errors import ConfigError
from dltool.runs.folder import RunFolder

QUIET = ["trainer.threads=1", "trainer.device=cpu", "logger.plots=false", "run.dir=run"]


@pytest.mark.parametrize(
    "words",
    [
        ["model=logistic"],
        ["model=logistic", "data=wine"],
        ["model=mlp"],
        ["model=mlp", "data=moons"],
        ["model=lenet"],
        ["model=lenet5_1998", "loss=cross_entropy"],
        ["model=lenet5_1998", "stop.target=0.65"],  # log(1 + e^-0.1) is the least that the loss of 1998 can be.
    ],
    ids=" ".join,
)
def test_every_classifier_learns_a_batch_by_heart(
    words: list[str], configure: Callable[..., Config], tmp_path: Path
) -> None:
    trainer = build_trainer(prepare(configure("debug=overfit", *words)), RunFolder(tmp_path))
    trainer.fit()
    assert trainer.stopped_by == "target"
    assert trainer.progress.metrics["train/loss"] <= (0.65 if "stop.target=0.65" in words else 0.01)
    assert trainer.tested is None


def test_overfit_says_whether_it_was_reached(dltool_here: Callable[..., Any], tmp_path: Path) -> None:
    done = dltool_here("train", "model=mlp", "debug=overfit", *QUIET)
    assert done.returncode == 0, done.stderr
    assert "memorized in" in done.stdout
    assert "trains on the same batch in every epoch" in done.stderr
    words = ["model.activation=identity", "model.hidden=[1]", "trainer.steps=20", "run.dir=other"]
    done = dltool_here("train", "model=mlp", "debug=overfit", *QUIET[:3], *words)
    assert done.returncode == 0, done.stderr
    assert "NOT memorized, train/loss is" in done.stdout


def test_overfit_draws_the_first_batches_of_the_first_pass(configure: Callable[..., Config]) -> None:
    words = ["data=digits", "data.augment.shift=2"]
    plain = prepare(configure(*words, "data.augment.shift=0")).dataset.train
    expected = [plain.draw() for _ in range(2)]
    same = prepare(configure(*words, "debug=overfit", "trainer.overfit_batches=2")).dataset
    for _ in range(3):
        for batch in expected:
            drawn = same.train.draw()
            assert torch.equal(drawn.inputs, batch.inputs)
            assert torch.equal(drawn.targets, batch.targets)
    assert (same.train.batches_per_epoch, same.train.samples_per_epoch, same.train.epoch) == (2, 32, 3)
    assert sum(batch.size for batch in same.evaluation("val")) == same.sizes["val"]


def test_quick_takes_a_few_batches_of_everything(configure: Callable[..., Config], tmp_path: Path) -> None:
    words = ["model=mlp", "debug=quick", "data.eval_batch_size=10"]
    trainer = build_trainer(prepare(configure(*words)), RunFolder(tmp_path))
    assert [sum(b.size for b in trainer.data.evaluation(s)) for s in ("train", "val", "test")] == [30, 30, 30]
    orders = [trainer.source.draw().targets for _ in range(6)]
    assert not torch.equal(orders[0], orders[3])  # Another pass, another order.
    trainer.source.draws = 0
    trainer.fit()
    assert (trainer.progress.step, trainer.progress.epoch, trainer.stopped_by) == (6, 2, "epochs")
    assert trainer.progress.samples == 6 * 16
    assert {"train/loss", "val/loss", "test/loss"} <= trainer.progress.metrics.keys()


def test_profile_writes_a_table_and_a_trace(dltool_here: Callable[..., Any], tmp_path: Path) -> None:
    done = dltool_here("train", "model=mlp", "debug=profile", *QUIET)
    assert done.returncode == 0, done.stderr
    assert "aten::addmm" in done.stdout
    assert "Self CPU" in (tmp_path / "run" / "profile" / "table.txt").read_text()
    assert json.loads((tmp_path / "run" / "profile" / "trace.json").read_text())["traceEvents"]
    assert json.loads((tmp_path / "run" / "status.json").read_text())["step"] == 40


def test_a_preset_beats_an_experiment_and_the_command_line_beats_both() -> None:
    config = check(compose(["experiment=mlp_mnist", "data=digits", "debug=overfit", "trainer.steps=7"]))
    assert config["trainer"]["epochs"] is None  # Of the experiment: 10.
    assert config["schedule"]["name"] == "constant"  # one_cycle.
    assert config["trainer"]["steps"] == 7
    assert config["optim"]["lr"] == 0.003
    assert check(compose(["debug=overfit", "schedule=cosine"]))["schedule"]["name"] == "cosine"
    assert check(compose(["debug=null", "experiment=null"]))["trainer"]["epochs"] == "auto"
    assert config.origins.origin("trainer.epochs") == "debug/overfit.yaml"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["debug=overfitt"], "there is no such debug; the options are anomaly, overfit, profile, quick"),
        (["debug=overfit", "trainer.limit_batches=3"], "both select the batches"),
        (["debug=anomaly", "trainer.precision=16-mixed"], "loss scaling"),
        (["debug=anomaly", "trainer.compile=true"], "checks single operations, which trainer.compile=true fuses"),
        (["debug=anomaly", "trainer.profile_steps=3"], "so a profile would be meaningless"),
        (["debug.x=3"], "debug has no keys"),
    ],
)
def test_wrong_combinations(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check(compose(words))


def test_a_preset_is_not_laid_over_a_complete_config(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("seed: 0\n")
    with pytest.raises(ConfigError, match="debug= cannot be combined with --from"):
        compose_from(tmp_path / "config.yaml", ["debug=quick"])
