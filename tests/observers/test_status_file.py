import json
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from dltool.engine.clock import Clock
from dltool.engine.observer import Outcome, Progress
from dltool.observers import status_file
from dltool.observers.status_file import StatusFile
from dltool.runs.folder import RunFolder
from dltool.tasks.task import Task


def read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "status.json").read_text())
    return found


def test_says_where_the_training_stands_at_each_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress(total_steps=30)
    status = StatusFile(RunFolder(tmp_path), {"seed": 0}, Clock(), progress, ("val/loss", "min"))
    status.on_create()
    assert (read(tmp_path)["state"], read(tmp_path)["step"]) == ("running", 0)
    progress.step = 10
    status.on_start(Task(nn.Identity()), progress)
    status.on_epoch()
    assert read(tmp_path)["step"] == 0  # Written a moment ago.
    monkeypatch.setattr(status_file, "SECONDS_BETWEEN", 0)
    status.on_epoch()
    assert read(tmp_path)["step"] == 10
    progress.step = 20
    status.on_outcome(Outcome("finished", "target", "val/loss is 0.1", "step-000020"))
    found = read(tmp_path)
    keys = ("state", "step", "stopped_by", "stop_reason", "tested", "error")
    assert [found[key] for key in keys] == ["finished", 20, "target", "val/loss is 0.1", "step-000020", None]


def test_what_fails_before_the_first_event_is_said_too(tmp_path: Path) -> None:
    status = StatusFile(RunFolder(tmp_path), {}, Clock(), Progress(step=7))
    status.on_outcome(Outcome("failed", error="no disk"))
    assert [read(tmp_path)[key] for key in ("state", "step", "error")] == ["failed", 7, "no disk"]
