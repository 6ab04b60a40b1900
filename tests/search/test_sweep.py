"""Sweeps from the shell: every job in a folder of its own, failures told, what is finished never run again."""

import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from places import command, one_thread

SMALL = ["model=mlp", "model.hidden=[8]", "data=iris", "trainer.epochs=2", "logger.plots=false"]


def status(path: Path) -> dict[str, Any]:
    return json.loads((path / "status.json").read_text())


def states(sweep: Path) -> dict[str, str]:
    return {path.parent.name: status(path.parent)["state"] for path in sweep.glob("*/status.json")}


def rows(sweep: Path) -> list[dict[str, str]]:
    with (sweep / "sweep.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def sweep(tmp_path: Path, dltool: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., Any]:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return dltool("train", "-m", *SMALL, *words, cwd=tmp_path)

    return run


def test_each_job_has_its_folder_its_log_and_its_true_parameters(sweep: Callable[..., Any], tmp_path: Path) -> None:
    done = sweep("optim.lr=1e-1,1e-4", "seed=1,2", "sweep.dir=s", "sweep.n_jobs=2")
    assert done.returncode == 0, done.stderr
    names = [f"{i:03d}_optim.lr={lr},seed={seed}" for i, (lr, seed) in enumerate(
        [(0.1, 1), (0.1, 2), (0.0001, 1), (0.0001, 2)])]  # fmt: skip
    assert states(tmp_path / "s") == dict.fromkeys(names, "finished")
    for i, name in enumerate(names):
        config = status(tmp_path / "s" / name)["config"]
        assert (config["optim.lr"], config["seed"]) == ([0.1, 0.0001][i // 2], [1, 2][i % 2])
        assert config["trainer.threads"] == 1, "two jobs share the cores"
        command_line = json.loads((tmp_path / "s" / name / "environment.json").read_text())["command"]
        assert command_line[:2] == ["dltool", "train"]
        assert f"optim.lr={config['optim.lr']}" in command_line
        assert "epoch 2/2" in (tmp_path / "s" / "logs" / f"{name}.txt").read_text()
    table = rows(tmp_path / "s")
    assert [(row["optim.lr"], row["seed"], row["state"]) for row in table] == [
        ("0.1", "1", "finished"), ("0.1", "2", "finished"), ("0.0001", "1", "finished"), ("0.0001", "2", "finished")
    ]  # fmt: skip
    assert all(0 <= float(row["val/accuracy"]) <= 1 for row in table)
    # The ranking: a row per setting, the mean and standard deviation over its seeds, the best one's command.
    assert " ± " in done.stdout
    best = max(("0.1", "0.0001"), key=lambda lr: sum(float(r["val/accuracy"]) for r in table if r["optim.lr"] == lr))
    assert f"best       dltool train {' '.join(SMALL[:1])}" in done.stdout
    assert f"optim.lr={best}" in done.stdout.split("best  ")[1]
    assert "seed=" not in done.stdout.split("best  ")[1].splitlines()[0]


def test_a_job_equals_the_same_training_alone(
    sweep: Callable[..., Any], dltool: Callable[..., Any], tmp_path: Path
) -> None:
    assert sweep("seed=3,4", "trainer.threads=1", "sweep.dir=s").returncode == 0
    assert dltool("train", *SMALL, "seed=3", "trainer.threads=1", "run.dir=alone", cwd=tmp_path).returncode == 0
    assert (tmp_path / "alone/metrics.jsonl").read_text() == (tmp_path / "s/000_seed=3/metrics.jsonl").read_text()


def test_a_failing_job_is_told_and_the_others_go_on(sweep: Callable[..., Any], tmp_path: Path) -> None:
    done = sweep("optim=sgd", "optim.lr=1e30,0.1", "sweep.dir=s")
    assert done.returncode == 1
    assert "not finite" in done.stderr or "the loss is" in done.stderr
    assert [row["state"] for row in rows(tmp_path / "s")] == ["failed", "finished"]
    assert rows(tmp_path / "s")[0]["error"]
    assert "[1/2] failed" in done.stderr


def test_nothing_starts_before_every_job_is_checked(sweep: Callable[..., Any], tmp_path: Path) -> None:
    done = sweep("optim.lr=0.1,-1", "sweep.dir=s")
    assert done.returncode == 2
    assert "optim.lr=-1" in done.stderr
    assert not (tmp_path / "s").exists()


def test_the_same_folder_goes_on_with_what_is_not_finished(sweep: Callable[..., Any], tmp_path: Path) -> None:
    words = ["seed=1,2", "sweep.dir=s"]
    assert sweep(*words).returncode == 0
    first, second = tmp_path / "s/000_seed=1", tmp_path / "s/001_seed=2"
    before = (first / "status.json").stat().st_mtime_ns
    expected = (second / "metrics.jsonl").read_text()
    (second / "status.json").unlink()  # As if it had never come to an end,
    for checkpoint in (second / "checkpoints").glob("step-*"):  # nor to a checkpoint.
        subprocess.run(["rm", "-r", str(checkpoint)], check=True)
    done = sweep(*words)
    assert done.returncode == 0
    assert "1 of them finished already" in done.stderr
    assert (first / "status.json").stat().st_mtime_ns == before
    assert (second / "metrics.jsonl").read_text() == expected


def test_a_folder_of_another_sweep_is_refused_with_the_difference(sweep: Callable[..., Any], tmp_path: Path) -> None:
    assert sweep("seed=1,2", "sweep.dir=s").returncode == 0
    done = sweep("seed=1,3", "sweep.dir=s")
    assert done.returncode == 2
    assert "seed was 1 and 2, now 1 and 3" in done.stderr
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    done = sweep("seed=1,2", "sweep.dir=other")
    assert done.returncode == 2
    assert "no sweep" in done.stderr
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["seed=range(3,1)"], "gives no value"),
        (["seed=1,2", "sweep.metric=val/acuracy"], "val/accuracy"),
        (["seed=1,2", "sweep.jobs=2"], "sweep.n_jobs"),
        (["seed=1,2", "sweep.n_jobs=0"], "> 0"),
        (["seed=1,2", "run.dir=x"], "sweep.dir=FOLDER"),
    ],
)
def test_wrong_input_ends_with_2_and_a_hint(sweep: Callable[..., Any], words: list[str], message: str) -> None:
    done = sweep(*words)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_search_key_without_a_search_is_explained(dltool: Callable[..., Any], tmp_path: Path) -> None:
    done = dltool("train", *SMALL, "sweep.n_jobs=2", cwd=tmp_path)
    assert done.returncode == 2
    assert "dltool train -m" in done.stderr


def test_cfg_job_prints_each_command_and_trains_nothing(sweep: Callable[..., Any], tmp_path: Path) -> None:
    done = sweep("seed=1,2", "--cfg", "job")
    assert done.returncode == 0
    assert [line.split()[-1] for line in done.stdout.splitlines()] == ["seed=1", "seed=2"]
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_stopped_anywhere_it_goes_on_to_the_same_end(tmp_path: Path, signum: int) -> None:
    words = ["train", "-m", *SMALL, "trainer.epochs=120", "seed=1,2,3", "sweep.n_jobs=2", "sweep.dir=s"]
    process = subprocess.Popen(
        command(*words), cwd=tmp_path, env=one_thread(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    wait_for(lambda: len(list((tmp_path / "s").glob("*/checkpoints/step-*"))) >= 2)
    # A second shell is told who is at work.
    second = subprocess.run(command(*words), cwd=tmp_path, env=one_thread(), capture_output=True, text=True)
    assert second.returncode == 2
    assert f"process {process.pid} is at work" in second.stderr
    process.send_signal(signum)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (130 if signum == signal.SIGINT else -signal.SIGKILL)
    if signum == signal.SIGINT:
        assert "save what they have reached" in errors
        assert set(states(tmp_path / "s").values()) <= {"interrupted", "finished"}
    # After a kill -9 the jobs notice that the sweep is gone, save, and end.
    wait_for(lambda: "running" not in states(tmp_path / "s").values())
    done = subprocess.run(command(*words), cwd=tmp_path, env=one_thread(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert set(states(tmp_path / "s").values()) == {"finished"}
    assert all(row["epoch"] == "120" for row in rows(tmp_path / "s"))


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_a_job_that_the_system_kills_is_recorded(tmp_path: Path) -> None:
    words = ["train", "-m", *SMALL, "trainer.epochs=120", "seed=1,2", "sweep.n_jobs=2", "sweep.dir=s"]
    process = subprocess.Popen(command(*words), cwd=tmp_path, env=one_thread(), stderr=subprocess.PIPE, text=True)
    victim = tmp_path / "s" / "000_seed=1" / "status.json"
    wait_for(lambda: victim.exists() and status(victim.parent)["epoch"] > 0)
    os.kill(status(victim.parent)["pid"], signal.SIGKILL)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "killed by SIGKILL" in errors
    assert states(tmp_path / "s") == {"000_seed=1": "failed", "001_seed=2": "finished"}
