import json
import math
from pathlib import Path

import pytest

from dltool.observers.jsonl import JsonlLog, cut_back
from dltool.runs.records import read_records


def record(step: int, split: str = "train", **values: float) -> dict[str, object]:
    return {"step": step, "epoch": step // 10, "split": split} | {f"{split}/{k}": v for k, v in values.items()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def write(path: Path, *records: dict[str, object]) -> None:
    log = JsonlLog(path)
    for item in records:
        log.on_record(item)


def test_round_trip_and_every_record_is_on_disk_at_once(path: Path) -> None:
    records = [record(10, loss=0.1 + 0.2), record(10, "val", accuracy=1.0)]
    log = JsonlLog(path)
    for count, item in enumerate(records, start=1):
        log.on_record(item)
        assert read_records(path) == records[:count]


def test_not_finite_numbers_are_null(path: Path) -> None:
    write(path, record(1, a=math.nan, b=math.inf, c=-math.inf, d=1.0))

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    line = json.loads(path.read_text(), parse_constant=refuse)
    assert [line[f"train/{name}"] for name in "abcd"] == [None, None, None, 1.0]
    assert math.isnan(read_records(path)[0]["train/a"])


def test_no_file() -> None:
    assert read_records(Path("/nonexistent/metrics.jsonl")) == []
    assert cut_back(Path("/nonexistent/metrics.jsonl"), 5) == 0


def test_cut_back_then_write_again_equals_an_uninterrupted_log(tmp_path: Path) -> None:
    whole = [record(step, split, loss=1 / step) for step in (10, 20, 30) for split in ("train", "val")]
    write(tmp_path / "whole", *whole)
    write(tmp_path / "cut", *whole, record(30, "test", loss=0.5))
    assert cut_back(tmp_path / "cut", 4) == 3
    write(tmp_path / "cut", *whole[4:])
    assert (tmp_path / "cut").read_bytes() == (tmp_path / "whole").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut", "whole"]


def test_cut_back_to_the_very_beginning(path: Path) -> None:
    write(path, record(10), record(20))
    assert cut_back(path, 0) == 2
    assert read_records(path) == []


@pytest.mark.parametrize("torn", [b'{"step": 20, "ep', b'{"step": 20, "x": "\xe6\x89', b"\0\0\0\0", b'{"step": 20}'])
def test_a_torn_last_line_is_repaired(path: Path, torn: bytes) -> None:
    """The last of these is whole but for its newline, and would swallow the record after it."""
    write(path, record(10))
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert cut_back(path, 100) == 1
    assert path.read_bytes() == whole


@pytest.mark.parametrize("torn", [b'{"step": 20, "ep', b"\xe6\x89\n", b"\0\0\n", b"[]\n", b"{}\n", b"\n"])
def test_lines_that_are_no_records_are_passed_over(path: Path, torn: bytes) -> None:
    write(path, record(10))
    path.write_bytes(torn.rstrip(b"\n") + b"\n" + path.read_bytes() + torn)
    assert [r["step"] for r in read_records(path)] == [10]
