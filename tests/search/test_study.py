"""A study survives kills: torn lines, and trials whose process or shell is gone."""

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

optuna = pytest.importorskip("optuna")

from dltool.runs.lock import FolderLock  # noqa: E402
from dltool.search import study as module  # noqa: E402
from dltool.search.settings import TuneSettings  # noqa: E402
from dltool.search.space import Dimension  # noqa: E402
from dltool.search.study import Study  # noqa: E402


def study(path: Path) -> Study:
    space = [Dimension("optim.lr", 0.001, 0.1)]
    settings = TuneSettings(trials=2, study="s")
    return Study(path, "s", settings, metric="val/loss", direction="min", space=space, config={"seed": 0})


@pytest.mark.parametrize("torn", [b'{"op_code":4,"wor', b"\0\0\0", b"}"])
def test_a_torn_last_line_is_dropped(torn: bytes, tmp_path: Path) -> None:
    study(tmp_path).ask()
    journal = tmp_path / "journal.log"
    whole = journal.read_bytes()
    journal.write_bytes(whole + torn)
    again = study(tmp_path)
    assert journal.read_bytes().startswith(whole + b'{"op_code":')  # Opening it appends lines.
    assert len(again.trials) == 1
    again.ask()
    assert len(study(tmp_path).trials) == 2


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("shell", "begun", "held", "lost"),
    [
        ("gone", True, False, True),  # Killed with its shell: at once.
        ("gone", True, True, False),  # Only its shell was killed: it works on.
        ("gone", False, False, False),  # Its process may be starting.
        ("here", True, False, False),  # Between its run and its entry in the study.
        ("elsewhere", True, False, False),  # Unknown, until a minute has passed.
    ],
)
def test_trials_without_a_process(shell: str, begun: bool, held: bool, lost: bool, tmp_path: Path) -> None:
    first = study(tmp_path)
    trial, values = first.ask()
    job = first.begin(trial, values)
    node = "another" if shell == "elsewhere" else platform.node()
    trial.set_user_attr("shell", [node, os.getpid() if shell == "here" else ended_process()])
    lock = FolderLock(first.run_path(job))
    if begun:
        lock.folder.mkdir()
        (lock.folder / "status.json").write_text("{}")
        if held:
            lock.hold("is training")
    again = study(tmp_path)
    assert (len(again.trials) == 0 or again.running() == 0) == lost
    assert again.has_room()
    lock.release()


def test_a_trial_without_a_run_is_lost_with_its_shell(tmp_path: Path, monkeypatch: Any) -> None:
    with monkeypatch.context() as context:
        context.setattr(os, "getpid", ended_process)
        study(tmp_path).ask()
    again = study(tmp_path)
    assert again.running() == 0
    trial, _ = again.ask()  # The values of the lost one.
    assert [one["optim.lr"] for one in (again.optuna.trials[0].params, trial.params)] == [trial.params["optim.lr"]] * 2
    assert study(tmp_path).running() == 1  # This shell is at work.


def test_a_trial_killed_before_its_run_is_tried_again(tmp_path: Path, monkeypatch: Any) -> None:
    study(tmp_path).ask()
    assert study(tmp_path).running() == 1
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.0)
    assert study(tmp_path).running() == 0
