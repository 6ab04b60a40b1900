"""A copy of the log may fail; the training may not."""

from collections.abc import Callable
from typing import Any

import pytest

from dltool.engine.observer import Progress
from dltool.engine.signals import Interrupted
from dltool.observers.csv_log import CsvLog
from dltool.observers.mirror import Mirror
from dltool.runs.folder import RunFolder
from dltool.tasks.task import Task


class Fragile(Mirror):
    name = "fragile"

    def __init__(self, run: RunFolder, warn: Callable[[str], None], broken: str) -> None:
        super().__init__(run, warn)
        self.broken = broken
        self.calls: list[str] = []

    def call(self, event: str) -> None:
        self.calls.append(event)
        if event == self.broken:
            raise ConnectionError("no route to host\nand a long story")

    def open(self, records: list[dict[str, Any]]) -> None:
        self.call("open")

    def write(self, record: dict[str, Any]) -> None:
        self.call("write")

    def close(self, state: str) -> None:
        self.call(state)


@pytest.mark.parametrize("broken", ["open", "write", "finished"])
def test_a_failure_warns_once_and_the_rest_is_left_out(
    broken: str, run: RunFolder, follow: Callable[..., None], records: list[dict[str, Any]]
) -> None:
    warnings: list[str] = []
    mirror = Fragile(run, warnings.append, broken)
    follow(mirror, records)
    assert mirror.calls[-1] == broken
    assert mirror.calls.count(broken) == 1
    assert warnings == ["fragile: no route to host; the training continues without it, metrics.jsonl is complete"]


@pytest.mark.parametrize(
    ("error", "state"), [(None, "finished"), (Interrupted(15), "interrupted"), (OSError("disk"), "failed")]
)
def test_is_told_how_the_training_ended(error: Exception | None, state: str, run: RunFolder) -> None:
    mirror = Fragile(run, pytest.fail, "")

    def fit() -> None:  # As Trainer.fit does.
        try:
            if error:
                raise error
        finally:
            mirror.on_end()

    if error:
        with pytest.raises(type(error)):
            fit()
    else:
        fit()
    assert mirror.calls == [state]


def test_a_csv_that_cannot_be_written_is_given_up(run: RunFolder, records: list[dict[str, Any]]) -> None:
    warnings: list[str] = []
    mirror = CsvLog(run, warnings.append)
    mirror.on_start(Task.__new__(Task), Progress())
    (run.path / "metrics.csv").mkdir()  # As a spreadsheet on Windows that holds the file.
    for record in records:
        mirror.on_record(record)
    assert len(warnings) == 1
    assert "metrics.csv" in warnings[0]
