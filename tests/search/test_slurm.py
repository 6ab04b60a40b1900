"""A sweep whose jobs are submitted to Slurm, with two processes each."""

import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from slurm import needs_slurm, slurm
from warm_process import Command, run_dltool

pytestmark = pytest.mark.slow
LAUNCHER = (
    *("hydra/launcher=submitit_slurm", "hydra.launcher.cpus_per_task=2", "hydra.launcher.timeout_min=5"),
    *("model=mlp", "model.hidden=[8]", "data=iris", "logger.plots=false", "logger.report=false", "diagnostics=none"),
    *("trainer.device=cpu", "trainer.threads=1", "trainer.devices=2", "trainer.epochs=2"),
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A node with four processors, so that two jobs run at a time."""
    needs_slurm()
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    with slurm(tmp_path_factory.mktemp("slurm") / "cluster", cpus=4) as environment, pytest.MonkeyPatch.context() as to:
        for name, value in environment.items():
            to.setenv(name, value)
        to.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        yield


def words(*more: str) -> list[str]:
    return ["train", "-m", *LAUNCHER, *more, "sweep.dir=s"]


def states(folder: Path) -> list[str]:
    with (folder / "s" / "sweep.csv").open(newline="") as file:
        return [row["state"] for row in csv.DictReader(file)]


def status(folder: Path, job: str) -> dict[str, Any]:
    path = folder / "s" / job / "status.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def wait_until(ready: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def queue() -> str:
    return subprocess.run(["squeue", "--noheader"], capture_output=True, text=True, check=True).stdout


@pytest.mark.usefixtures("cluster")
def test_two_jobs_of_two_processes(tmp_path: Path) -> None:
    done = run_dltool(*words("seed=1,2"), cwd=tmp_path, timeout=200)
    assert done.returncode == 0, done.stderr
    assert states(tmp_path) == ["finished", "finished"]
    assert "[2/2] finished" in done.stderr
    for job in ("000_seed=1", "001_seed=2"):
        assert "rank 1 of 2" in (tmp_path / "s" / job / "log.rank1.txt").read_text()
        assert "mlp on iris" in (tmp_path / "s" / "logs" / f"{job}.txt").read_text()


@pytest.mark.usefixtures("cluster")
def test_a_failing_job_is_reported_and_the_other_finishes(tmp_path: Path) -> None:
    done = run_dltool(*words("optim=sgd", "optim.lr=1e30,0.1"), cwd=tmp_path, timeout=200)
    assert done.returncode == 1
    assert "failed: 000_optim.lr=1e+30: the loss is" in done.stderr
    assert states(tmp_path) == ["failed", "finished"]


@pytest.mark.usefixtures("cluster")
def test_a_killed_job_is_reported_and_the_other_finishes(tmp_path: Path) -> None:
    sweep = Command(*words("trainer.steps=100000,200", "trainer.epochs=null"), cwd=tmp_path)
    wait_until(lambda: status(tmp_path, "000_trainer.steps=100000").get("pid"))
    os.kill(status(tmp_path, "000_trainer.steps=100000")["pid"], signal.SIGKILL)
    done = sweep.wait(200)
    assert done.returncode == 1
    assert "ended without a result: cancelled, out of time or memory" in done.stderr
    assert states(tmp_path) == ["failed", "finished"]


@pytest.mark.usefixtures("cluster")
def test_an_interrupted_sweep_empties_the_queue_and_continues(tmp_path: Path) -> None:
    long = words("seed=1,2,3", "trainer.steps=2000", "trainer.epochs=null")  # The third waits for the others.
    sweep = Command(*long, cwd=tmp_path)
    wait_until(lambda: all(status(tmp_path, job).get("step") for job in ("000_seed=1", "001_seed=2")))
    sweep.send_signal(signal.SIGINT)
    stopped = sweep.wait(90)
    assert stopped.returncode == 130, stopped.stderr
    assert states(tmp_path) == ["interrupted", "interrupted", "waiting"]
    wait_until(lambda: not queue())
    steps = status(tmp_path, "000_seed=1")["step"]
    assert 0 < steps < 2000
    done = run_dltool(*long, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    assert states(tmp_path) == ["finished"] * 3
    assert "resuming at step" in (tmp_path / "s" / "logs" / "000_seed=1.txt").read_text()


@pytest.mark.usefixtures("cluster")
def test_a_job_that_slurm_starts_again_continues(tmp_path: Path) -> None:
    long = words("seed=1", "trainer.steps=4000", "trainer.epochs=null", "trainer.checkpoint.every_n_steps=50")
    sweep = Command(*long, cwd=tmp_path)
    wait_until(lambda: list((tmp_path / "s" / "000").glob("checkpoints/step-*")))
    (job,) = [line.split()[0] for line in queue().splitlines()]
    subprocess.run(["scontrol", "requeue", job], check=True)
    done = sweep.wait(200)
    assert done.returncode == 0, done.stderr
    assert states(tmp_path) == ["finished"]
    (since,) = json.loads((tmp_path / "s" / "000" / "environment.json").read_text())["resumed"]
    assert since["step"] >= 50
    assert status(tmp_path, "000")["step"] == 4000


def test_several_tasks_for_a_job_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    done = run_dltool(*words("seed=1,2", "hydra.launcher.tasks_per_node=2"), cwd=tmp_path)
    assert done.returncode == 2
    assert "hydra.launcher.tasks_per_node=2: a job is one task" in done.stderr
    assert "hint: trainer.devices=2" in done.stderr
