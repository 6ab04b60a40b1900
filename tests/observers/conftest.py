"""What tests of the copies of metrics.jsonl share: a training that stops and goes on, without a trainer."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from dltool.engine.observer import Outcome, Progress
from dltool.observers.jsonl import JsonlLog, cut_back
from dltool.observers.mirror import Mirror
from dltool.runs.folder import RunFolder
from dltool.tasks.task import Task

Records = list[dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.chdir(tmp_path)
    return RunFolder.create("outputs/运行 1", tmp_path, "")


@pytest.fixture
def records() -> Records:
    """Two epochs of four steps, evaluated, then tested."""
    lines = []
    for epoch in (0, 1):
        lines.append({"step": 4 * epoch + 3, "epoch": epoch, "split": "step", "step/loss": 1.5 - epoch})
        after = {"step": 4 * epoch + 4, "epoch": epoch + 1}
        lines.append({**after, "split": "train", "train/loss": 1.25 - epoch, "train/lr": 0.1 + 0.2})
        lines.append({**after, "split": "val", "val/loss": 1.0 - epoch / 3, "val/accuracy": 0.5 + epoch / 3})
    return [*lines, {"step": 8, "epoch": 2, "split": "test", "test/accuracy": 0.75}]


@pytest.fixture
def stopped(records: Records) -> Records:
    """The first epoch, then what a resumed training cuts off: a final test that came too early, and a lost step."""
    return [
        *records[:3],
        {"step": 4, "epoch": 1, "split": "test", "test/accuracy": 0.5},
        {**records[3], "step/loss": 0.25},
    ]


@pytest.fixture
def follow(run: RunFolder) -> Callable[[Mirror, Records], None]:
    """Lets a mirror follow the given records from where metrics.jsonl ends."""

    def follow(mirror: Mirror, records: Iterable[dict[str, Any]]) -> None:
        log, progress = JsonlLog(run.metrics), Progress()
        mirror.on_start(Task.__new__(Task), progress)
        for record in records:
            log.on_record(record)
            mirror.on_record(record)
            progress.step, progress.epoch = record["step"], record["epoch"]
            progress.metrics.update({name: value for name, value in record.items() if "/" in name})
        mirror.on_end()
        mirror.on_outcome(Outcome("finished"))

    return follow


@pytest.fixture
def stop_and_go_on(
    run: RunFolder, follow: Callable[[Mirror, Records], None], stopped: Records, records: Records
) -> Callable[[Callable[[], Mirror]], None]:
    """Follows the stopped training with one mirror and its continuation from the first epoch with another."""

    def stop_and_go_on(make: Callable[[], Mirror]) -> None:
        follow(make(), stopped)
        cut_back(run.metrics, 3)
        follow(make(), records[3:])

    return stop_and_go_on
