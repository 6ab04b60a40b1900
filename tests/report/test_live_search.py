"""The live page of a sweep: it is followed while its jobs begin and train."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from fabricated import make_run
from live_server import serving

from dltool.report.live.server import LiveServer

LOSS = {"main_metric": ["val/loss", "min"]}


def add_job(folder: Path, rate: float, curve: list[float], **status: Any) -> None:
    make_run(folder / f"lr={rate}", {"optim.lr": rate}, metrics={"val/loss": curve[-1]}, curve=curve, **LOSS, **status)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "outputs"
    make_run(root / "alone")
    folder = root / "sweeps" / "rates"
    folder.mkdir(parents=True)
    (folder / "sweep.json").write_text(json.dumps({"command": ["dltool", "train", "-m"], "jobs": [{}] * 4}))
    add_job(folder, 0.1, [1.0, 0.5])
    add_job(folder, 0.01, [1.0, 0.25])
    return root


@pytest.fixture
def server(root: Path) -> Iterator[LiveServer]:
    with serving(root) as server:
        yield server


def read(server: LiveServer, path: str) -> str:
    with urlopen(server.url + path, timeout=20) as answer:
        return str(answer.read().decode())


def test_the_list_leads_to_the_search_and_this_to_its_runs(server: LiveServer) -> None:
    (search,) = json.loads(read(server, "list.json"))["searches"]
    assert search == {"run": "sweeps/rates", "states": {"finished": 2}}
    assert 'href="search?run=sweeps%2Frates"' in read(server, "")
    assert json.loads(read(server, "list.json?q=alone"))["searches"] == []
    page = read(server, "search?run=sweeps%2Frates")
    assert 'href="run?run=sweeps%2Frates%2Flr%3D0.1"' in page
    assert "2 finished, 2 waiting" in page


def test_a_job_that_begins_gets_its_curve_and_its_rank(server: LiveServer, root: Path) -> None:
    address = "search/changes?run=sweeps%2Frates&since="
    version = json.loads(read(server, address))["version"]
    assert json.loads(read(server, address + version))["parts"] == {}
    add_job(root / "sweeps" / "rates", 0.001, [1.0, 0.125])
    time.sleep(0.3)
    found = json.loads(read(server, address + version))
    (chart,) = found["charts"]
    assert [series["label"] for series in chart["series"]] == ["optim.lr=0.001", "optim.lr=0.01", "optim.lr=0.1"]
    ranking = found["parts"]["part-tables-first"].replace("<wbr>", "")
    assert ranking.index("optim.lr=0.001") < ranking.index("optim.lr=0.01<")
    assert "3 finished, 1 waiting" in found["parts"]["part-summary"]
    assert '"label": "lr=0.001"' in found["parts"]["part-settings"]


def test_new_points_of_a_job_are_sent_alone(server: LiveServer, root: Path) -> None:
    address = "search/changes?run=sweeps%2Frates&since="
    version = json.loads(read(server, address))["version"]
    with (root / "sweeps" / "rates" / "lr=0.1" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 30, "epoch": 3, "split": "val", "val/loss": 0.375}\n')
    found = json.loads(read(server, address + version))
    assert found["points"] == [{"chart": "val/loss", "label": "optim.lr=0.1", "step": [30], "values": [0.375]}]
    assert (found["parts"], found["charts"]) == ({}, None)


def test_the_root_itself_can_be_the_search(root: Path) -> None:
    with serving(root / "sweeps" / "rates") as server:
        page = read(server, "search?run=.")
        assert 'href="run?run=lr%3D0.1"' in page
        (search,) = json.loads(read(server, "list.json"))["searches"]
        assert search["run"] == "."
