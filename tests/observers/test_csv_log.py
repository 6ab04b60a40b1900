import csv
import math
from collections.abc import Callable
from typing import Any

import pytest

from dltool.observers.csv_log import CsvLog
from dltool.observers.jsonl import JsonlLog
from dltool.observers.mirror import Mirror
from dltool.runs.folder import RunFolder

Follow = Callable[[Mirror, list[dict[str, Any]]], None]


def rows(run: RunFolder) -> list[dict[str, str]]:
    with (run.path / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_a_record_and_a_column_a_metric(run: RunFolder, follow: Follow, records: list[dict[str, Any]]) -> None:
    follow(CsvLog(run, pytest.fail), records)
    table = rows(run)
    assert list(table[0]) == ["step", "epoch", "split", "loss", "lr", "accuracy"]
    assert [row["split"] for row in table] == [record["split"] for record in records]
    assert table[1] == {
        "step": "4",
        "epoch": "1",
        "split": "train",
        "loss": "1.25",
        "lr": str(0.1 + 0.2),
        "accuracy": "",
    }
    for row, record in zip(table, records, strict=True):
        given = {name.partition("/")[2]: value for name, value in record.items() if "/" in name}
        assert {name: float(row[name]) for name in ("loss", "lr", "accuracy") if row[name]} == given


def test_every_row_is_on_disk_at_once(
    run: RunFolder, records: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dltool.observers.line_file.SECONDS_BETWEEN", 0.0)  # Those of a few steps may wait.
    log, mirror = JsonlLog(run.metrics), CsvLog(run, pytest.fail)
    mirror.open([])
    for count, record in enumerate(records, start=1):
        log.on_record(record)
        mirror.on_record(record)
        assert len(rows(run)) == count


def test_not_finite_differs_from_not_measured_and_survives_a_rewrite(run: RunFolder, follow: Follow) -> None:
    first = {"step": 1, "epoch": 0, "split": "val", "val/a": math.nan, "val/b": math.inf, "val/c": 1.0}
    follow(CsvLog(run, pytest.fail), [first])
    before = rows(run)
    assert before == [{"step": "1", "epoch": "0", "split": "val", "a": "nan", "b": "nan", "c": "1.0"}]
    follow(CsvLog(run, pytest.fail), [{"step": 2, "epoch": 0, "split": "val", "val/d": -math.inf}])
    assert rows(run)[0] == before[0] | {"d": ""}
    assert rows(run)[1] == {"step": "2", "epoch": "0", "split": "val", "a": "", "b": "", "c": "", "d": "nan"}


def test_resumed_equals_uninterrupted(
    run: RunFolder, follow: Follow, stop_and_go_on: Callable[..., None], records: list[dict[str, Any]]
) -> None:
    stop_and_go_on(lambda: CsvLog(run, pytest.fail))
    resumed = (run.path / "metrics.csv").read_bytes()
    for path in (run.metrics, run.path / "metrics.csv"):
        path.unlink()
    follow(CsvLog(run, pytest.fail), records)
    assert (run.path / "metrics.csv").read_bytes() == resumed


def test_cut_back_to_nothing_leaves_a_header_only(
    run: RunFolder, follow: Follow, records: list[dict[str, Any]]
) -> None:
    follow(CsvLog(run, pytest.fail), records)
    run.metrics.unlink()
    follow(CsvLog(run, pytest.fail), [])
    assert rows(run) == []


def test_a_column_name_with_a_comma_or_in_chinese(run: RunFolder, follow: Follow) -> None:
    follow(CsvLog(run, pytest.fail), [{"step": 1, "epoch": 0, "split": "val", "val/a, b": 1.0, "val/准确率/猫": 2.0}])
    assert rows(run)[0] == {"step": "1", "epoch": "0", "split": "val", "a, b": "1.0", "准确率/猫": "2.0"}
