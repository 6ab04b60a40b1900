"""The fingerprint of a run's data in short, in `runs show` and `runs compare`."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dltool.runs.data_record import data_in_short, different_data

Dltool = Callable[..., subprocess.CompletedProcess[str]]
ONE_FILE = {
    "digest": "08d9d5f52379604b",
    "samples": {"train": 240, "test": 60},
    "files": [{"name": "t.csv", "bytes": 100, "sha256": "aa"}],
    "folders": {},
    "generator": {},
}


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({}, "08d9d5f52379604b: t.csv, 300 samples"),
        ({"files": [{"name": "a"}, {"name": "b"}]}, "08d9d5f52379604b: a, 1 more file, 300 samples"),
        (
            {"files": [], "folders": {"cats": {"files": 1000}, "dogs": {"files": 500}}},
            "08d9d5f52379604b: 1,500 images, 300 samples",
        ),
        ({"files": [], "generator": {"name": "moons"}}, "08d9d5f52379604b: moons, 300 samples"),
        ({"samples": None}, ""),
    ],
)
def test_in_short(changed: dict, text: str) -> None:
    assert data_in_short(ONE_FILE | changed) == text


def test_a_run_without_a_fingerprint_is_not_another(tmp_path: Path) -> None:
    runs = [tmp_path / name for name in ("one", "two", "old", "three")]
    for path, digest in zip(runs, ("aa", "aa", None, "bb"), strict=True):
        path.mkdir()
        if digest:
            (path / "data.json").write_text(json.dumps({"digest": digest}))
    one, two, old, three = runs
    assert different_data([one, old, two]) == []
    assert different_data(runs) == [[one, two], [three]]


def test_show_and_compare(dltool_here: Dltool) -> None:
    short = ["model=linear", "trainer.epochs=1", "trainer.threads=1", "logger.plots=false", "--quiet"]
    table = [*short, "data=csv", "data.path=t.csv", "data.target=y"]
    rows = "".join(f"{i % 7},{i % 2}\n" for i in range(60))
    for name in ("one", "two"):
        Path("t.csv").write_text(f"x,y\n{rows}")
        done = dltool_here("train", *table, f"run.dir=outputs/{name}")
        assert done.returncode == 0, done.stderr
        rows += "3,0\n"
    assert dltool_here("train", *short, "data=iris", "run.dir=outputs/three").returncode == 0
    digest = json.loads(Path("outputs/one/data.json").read_text())["digest"]
    assert f"{digest}: t.csv, 60 samples" in dltool_here("runs", "show", "one").stdout
    assert "iris, 150 samples" in dltool_here("runs", "show", "three").stdout
    compared = dltool_here("runs", "compare", "one", "two")
    assert "not the same data: 1; 2" in compared.stdout
    assert f"{digest}: t.csv, 60 samples" in compared.stdout
    assert "not the same data" not in dltool_here("runs", "compare", "one", "one").stdout
