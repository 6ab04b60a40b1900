"""A run of the default length: recorded, used again, resumed, and evaluated with the weights that it tested."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

RUN = ["train", "model=mlp", "data=iris", "optim.lr=0.03", "trainer.threads=1", "logger.plots=false"]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dltool.engine.length.LEAST_STEPS", 80)


def auto(run: str) -> dict:
    return json.loads((Path(run) / "environment.json").read_text())["auto"]


def test_it_is_recorded_and_repeated(dltool_here: Callable) -> None:
    shown = dltool_here("show", *RUN[1:])
    trained = dltool_here(*RUN, "run.dir=run")
    line = "40 epochs of 2 steps (at least 80 steps), or until it overfits, tested with the best weights by val/loss"
    assert f"length: {line}" in shown.stdout
    assert f"  length     {line}" in trained.stderr
    assert auto("run")["trainer.epochs"] == 40
    dltool_here("train", "--from", "run", "run.dir=again")
    dltool_here("train", "--from", "again", "run.dir=third", "seed=1")
    assert auto("third") == auto("again") == auto("run")
    status = [json.loads((Path(run) / "status.json").read_text()) for run in ("run", "again")]
    assert status[0]["metrics"] == status[1]["metrics"]


def test_the_tested_weights_are_used(dltool_here: Callable) -> None:
    dltool_here(*RUN, "run.dir=run", "optim.lr=0.3", "model.hidden=[256,256]")
    status = json.loads(Path("run/status.json").read_text())
    best = Path("run/checkpoints/best").read_text().strip()
    assert status["tested"] == best
    evaluated = dltool_here("evaluate", "run", "--json")
    assert json.loads(evaluated.stdout)["checkpoint"].startswith(best)


def test_a_longer_training_keeps_the_other_choices(dltool_here: Callable) -> None:
    dltool_here(*RUN, "run.dir=run")
    before = auto("run")
    resumed = dltool_here("resume", "run", "trainer.epochs=60", "trainer.threads=1")
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(Path("run/status.json").read_text())["epoch"] == 60
    assert {key: value for key, value in auto("run").items() if key != "trainer.epochs"} == {
        key: value for key, value in before.items() if key != "trainer.epochs"
    }
    steps = dltool_here("resume", "run", "trainer.steps=130", "trainer.epochs=null", "trainer.threads=1")
    assert steps.returncode == 0, steps.stderr
    assert json.loads(Path("run/status.json").read_text())["step"] == 130


def test_interrupted_by_its_length_it_resumes_as_one_training(dltool_here: Callable) -> None:
    """The length of the resumed part is the run's, although the data would give the same."""
    dltool_here(*RUN, "run.dir=whole")
    dltool_here(*RUN, "run.dir=part", "stop.max_minutes=1e-9")
    resumed = dltool_here("resume", "part", "stop.max_minutes=null", "trainer.threads=1")
    assert resumed.returncode == 0, resumed.stderr
    assert auto("part")["trainer.epochs"] == 40
    metrics = [json.loads((Path(run) / "status.json").read_text())["metrics"] for run in ("whole", "part")]
    assert metrics[0] == metrics[1]
