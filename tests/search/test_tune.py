"""`dltool tune` from the shell: trials, pruning, one study for several shells."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from warm_process import Command

optuna = pytest.importorskip("optuna")

from optuna.storages import JournalStorage  # noqa: E402
from optuna.storages.journal import JournalFileBackend  # noqa: E402
from optuna.trial import FrozenTrial, TrialState  # noqa: E402

SMALL = ["model=mlp", "data=iris", "trainer.epochs=8", "logger.plots=false", "optim.lr=tag(log,interval(1e-6,1e-1))"]


def trials(folder: Path, name: str = "s") -> list[FrozenTrial]:
    storage = JournalStorage(JournalFileBackend(str(folder / "outputs/studies" / name / "journal.log")))
    return optuna.load_study(study_name=name, storage=storage).get_trials()


@pytest.fixture
def tune(tmp_path: Path, dltool: Callable[..., Any]) -> Callable[..., subprocess.CompletedProcess[str]]:
    return lambda *words: dltool("tune", *SMALL, *words, cwd=tmp_path)


def test_a_study_prunes_ends_with_the_best_command_and_goes_on(tune: Callable[..., Any], tmp_path: Path) -> None:
    done = tune("tune.study=s", "tune.trials=7", "tune.startup_trials=2")
    assert done.returncode == 0, done.stderr
    found = trials(tmp_path)
    states = [trial.state for trial in found]
    assert len(found) == 7
    assert set(states) == {TrialState.COMPLETE, TrialState.PRUNED}, "nothing was pruned, or all was"
    best = max((t for t in found if t.state == TrialState.COMPLETE), key=lambda t: t.value or 0)
    assert f"optim.lr={best.params['optim.lr']:.6g}" in done.stdout.split("best  ")[1]
    assert "pruning saved" in done.stdout
    for trial in found:
        run = tmp_path / trial.user_attrs["run"]
        status = json.loads((run / "status.json").read_text())
        assert status["config"]["optim.lr"] == pytest.approx(trial.params["optim.lr"], rel=1e-5)
        # Reported at each evaluation, and the run ends where it was pruned.
        assert max(trial.intermediate_values) == status["epoch"]
        assert (status["stopped_by"] == "pruned") == (trial.state == TrialState.PRUNED)
        assert trial.intermediate_values[status["epoch"]] == pytest.approx(status["metrics"]["val/accuracy"])
    for picture in ("history", "space", "curves"):
        assert (tmp_path / "outputs/studies/s/plots" / f"{picture}.png").stat().st_size > 5000

    done = tune("tune.study=s", "tune.trials=8", "tune.pruner=none")
    assert done.returncode == 0
    assert "7 of 8 trials" in done.stderr
    assert trials(tmp_path)[7].state == TrialState.COMPLETE, "nothing is pruned without a pruner"

    done = tune("tune.study=s", "tune.trials=12", "trainer.epochs=3")
    assert done.returncode == 2
    assert "trainer.epochs was 8, now 3" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tune.metric=val/acuracy"], "val/accuracy"),
        (["optim.lr=interval(1,-1)"], "is empty"),
        (["data.batch_size=0,8"], "data.batch_size=0"),
        (["tune.trails=3"], "tune.trials"),
        (["tune.study=a/b"], "letters"),
        (["run.dir=x"], "tune.study"),
    ],
)
def test_wrong_input_ends_with_2_before_any_trial(tune: Callable[..., Any], words: list[str], message: str) -> None:
    done = tune("tune.study=s", *words)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_two_shells_share_a_study_and_a_killed_trial_is_tried_again(tmp_path: Path) -> None:
    words = ["tune", *SMALL, "trainer.epochs=60", "tune.study=s", "tune.trials=4"]
    shells = [Command(*words, cwd=tmp_path) for _ in range(2)]
    end = time.monotonic() + 300
    while len(list((tmp_path / "outputs/studies/s").glob("*/checkpoints/step-*"))) < 1:
        assert time.monotonic() < end
        time.sleep(0.1)
    shells[0].send_signal(signal.SIGINT)
    assert shells[0].wait(timeout=300).returncode == 130
    done = shells[1].wait(timeout=300)
    assert done.returncode == 0, done.stderr
    found = [trial for trial in trials(tmp_path) if "lost" not in trial.user_attrs]
    assert len(found) == 4
    assert all(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in found)
    values = [trial.params["optim.lr"] for trial in found]
    assert len(set(values)) == 4, "two shells drew the same values"


def rare(folder: Path) -> list[str]:
    """A table whose rare class a linear model of two epochs never predicts: its precision is undefined."""
    rows = [f"{i % 7},{'yes' if i % 30 == 0 else 'no'}" for i in range(200)]
    (folder / "t.csv").write_text("\n".join(["x,y", *rows]) + "\n")
    words = ["model=linear", "data=csv", "data.path=t.csv", "data.target=y", "trainer.epochs=2", "logger.plots=false"]
    return [
        *words,
        "task.metrics=[precision,accuracy]",
        "optim.lr=interval(1e-4,1e-3)",
        "tune.study=n",
        "tune.trials=2",
    ]


def test_no_trial_with_a_value_is_said_in_a_sentence(tmp_path: Path, dltool: Callable[..., Any]) -> None:
    done = dltool("tune", *rare(tmp_path), cwd=tmp_path)
    assert done.returncode == 1
    assert "error: no trial has a finite value of val/precision (it is nan: no sample was predicted as" in done.stderr
    assert "hint: another tune.metric" in done.stderr
    assert "UserWarning" not in done.stderr
    assert "[1/2] trial 0 finished" in done.stderr  # The number of the folder and of the table.
    assert [trial.state for trial in trials(tmp_path, "n")] == [TrialState.FAIL] * 2


def test_the_best_is_among_the_trials_with_a_value(tmp_path: Path, dltool: Callable[..., Any]) -> None:
    words = [word for word in SMALL if not word.startswith("optim.lr")]
    done = dltool("tune", *words, "optim=sgd", "optim.lr=0.01,1e30", "tune.study=n", "tune.trials=4", cwd=tmp_path)
    found = trials(tmp_path, "n")
    complete = [trial for trial in found if trial.state == TrialState.COMPLETE]
    assert len(complete) > 0
    assert all(trial.params["optim.lr"] in ("0.01", 0.01) for trial in complete)
    assert done.returncode == 0
    assert "optim.lr=0.01" in done.stdout.split("best  ")[-1]


def test_losses_with_other_definitions_are_no_space(tmp_path: Path, dltool: Callable[..., Any]) -> None:
    words = ["model=mlp", "data=iris", "loss=cross_entropy", "loss.label_smoothing=interval(0,0.2)"]
    done = dltool("tune", *words, "tune.study=n", "tune.trials=1", "tune.metric=val/loss", cwd=tmp_path)
    assert done.returncode == 2
    assert "val/loss has different definitions in this space: loss.label_smoothing=0" in done.stderr
    assert not (tmp_path / "outputs").exists()


def test_a_quiet_study_writes_its_page(tune: Callable[..., Any], tmp_path: Path) -> None:
    quiet = tune("tune.study=s", "tune.trials=2", "trainer.epochs=1", "--quiet")
    assert (quiet.returncode, quiet.stdout) == (0, "outputs/studies/s\n"), quiet.stderr
    assert (tmp_path / "outputs/studies/s/report.html").is_file()
