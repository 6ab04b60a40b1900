"""`dltool train trainer.devices=2` starts the second process, notices its end, and leaves none behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from process_table import members

from dltool.engine.checkpoint import load_newest

Dltool = Callable[..., subprocess.CompletedProcess[str]]
QUICK = (
    *("model=mlp", "data=iris", "trainer.device=cpu", "trainer.threads=1", "logger.plots=false"),
    *("logger.report=false", "diagnostics=none", "--quiet"),
)
ENDLESS = (*QUICK, "trainer.steps=1000000", "trainer.checkpoint.every_n_steps=20", "run.dir=run", "trainer.devices=2")


@pytest.fixture
def training(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A training of two processes that has saved a checkpoint."""
    command = [sys.executable, "-m", "dltool", "train", *ENDLESS]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("run/checkpoints/step-*")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    yield process
    process.kill()
    process.communicate()


def test_it_trains_the_same_and_keeps_what_the_others_print(dltool: Dltool, tmp_path: Path) -> None:
    words = (*QUICK, "trainer.epochs=3", "model.dropout=0.2")
    done = dltool("train", *words, "trainer.devices=2", "run.dir=two")
    assert done.returncode == 0, done.stderr
    assert dltool("train", *words, "trainer.accumulate=2", "run.dir=one").returncode == 0
    two, one = (load_newest(tmp_path / name / "checkpoints", pytest.fail) for name in ("two", "one"))
    assert two is not None
    assert one is not None
    assert all(torch.equal(tensor, one.weights[name]) for name, tensor in two.weights.items())
    assert (tmp_path / "two" / "log.rank1.txt").read_text().startswith("rank 1 of 2 on ")


def test_an_error_before_the_training_is_said_once(dltool: Dltool, tmp_path: Path) -> None:
    failed = dltool("train", *QUICK, "data=csv", "data.path=nowhere.csv", "data.target=1", "trainer.devices=2")
    assert failed.returncode == 2
    assert failed.stderr.count("error: ") == 1
    assert "nowhere.csv does not exist" in failed.stderr
    assert not (tmp_path / "outputs").exists()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_killed_process_ends_the_training(training: "subprocess.Popen[str]", tmp_path: Path) -> None:
    (member,) = members(training.pid)
    os.kill(member, signal.SIGKILL)
    assert training.wait(15) == 1
    assert training.stderr is not None
    assert training.stderr.readline() == "error: rank 1: its process was killed by SIGKILL\n"
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "failed"
    assert load_newest(tmp_path / "run" / "checkpoints", pytest.fail) is not None


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_the_others_end_with_rank_0(training: "subprocess.Popen[str]") -> None:
    (member,) = members(training.pid)
    training.kill()
    training.wait(15)
    deadline = time.monotonic() + 15
    while Path(f"/proc/{member}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{member}").exists()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_signal_to_another_process_stops_all_with_a_checkpoint(
    training: "subprocess.Popen[str]", tmp_path: Path, dltool: Dltool
) -> None:
    (member,) = members(training.pid)
    os.kill(member, signal.SIGTERM)
    assert training.wait(15) == 143
    checkpoint = load_newest(tmp_path / "run" / "checkpoints", pytest.fail)
    assert checkpoint is not None
    steps = f"trainer.steps={checkpoint.step + 5}"
    assert dltool("resume", "run", steps, "trainer.devices=1", "--quiet").returncode == 0


@pytest.mark.parametrize("words", [["train", "-m", "seed=1,2"], ["tune", "optim.lr=interval(0.1,1)"]])
def test_torchrun_starts_one_training_and_no_search(
    words: list[str], dltool_here: Dltool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    refused = dltool_here(*words)
    assert refused.returncode == 2
    assert "torchrun starts the processes of one training" in refused.stderr
