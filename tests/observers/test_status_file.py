import json
import time
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


@pytest.mark.parametrize(
    ("before", "seconds"), [('{"seconds": {"total": 1000.0}}', 1000.0), ('{"seconds": 3}', 0.0), ("[]", 0.0)]
)
def test_the_total_time_is_that_of_all_processes(
    before: str, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_file, "started_at", lambda: time.monotonic() - 10)
    (tmp_path / "status.json").write_text(before)
    status = StatusFile(RunFolder(tmp_path), {}, Clock(before=7.0), Progress())
    for _ in range(2):  # What this process has written itself is not added again.
        status.on_outcome(Outcome("finished"))
    assert read(tmp_path)["seconds"]["total"] == pytest.approx(seconds + 10, abs=5)


def test_the_speed_is_that_of_the_training_alone(tmp_path: Path) -> None:
    now = 50.0
    clock = Clock(before=7.0, now=lambda: now)
    clock.start()
    with clock.stopped_after():
        now = 52.0
    now = 90.0  # The test, the last figures and the report.
    StatusFile(RunFolder(tmp_path), {}, clock, Progress(samples=3000)).on_outcome(Outcome("finished"))
    found = read(tmp_path)
    assert (found["seconds"]["train"], found["samples_per_second"]) == (9.0, 1500.0)
