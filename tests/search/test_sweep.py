"""Sweeps from the shell: every job in a folder of its own, failures told, what is finished never run again."""

import csv
import json
import os
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from places import command, one_thread
from warm_process import Command, run_dltool

from dltool.search.folder import JobFolder
from dltool.search.grid import Job

SMALL = ["model=mlp", "model.hidden=[8]", "data=iris", "trainer.epochs=2", "logger.plots=false"]
FOUR = ["optim.lr=1e-1,1e-4", "seed=1,2", "sweep.dir=s"]
NAMES = [f"{i:03d}_optim.lr={lr},seed={seed}" for i, (lr, seed) in enumerate(
    [("0.1", 1), ("0.1", 2), ("0.0001", 1), ("0.0001", 2)])]  # fmt: skip


def status(path: Path) -> dict[str, Any]:
    return json.loads((path / "status.json").read_text())


def states(sweep: Path) -> dict[str, str]:
    return {path.parent.name: status(path.parent)["state"] for path in sweep.glob("*/status.json")}


def rows(sweep: Path) -> list[dict[str, str]]:
    with (sweep / "sweep.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def sweep(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    return lambda *words: run_sweep(tmp_path, *words)


def run_sweep(cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run_dltool("train", "-m", *SMALL, *words, cwd=cwd, timeout=300)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The folder in which a sweep of four jobs has run, two at a time, and what it printed."""
    folder = tmp_path_factory.mktemp("sweep")
    return folder, run_sweep(folder, *FOUR, "sweep.n_jobs=2")


@pytest.fixture
def again(done: tuple[Path, object], tmp_path: Path) -> Path:
    """A copy of that folder, to go on in."""
    shutil.copytree(done[0], tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_each_job_has_its_folder_its_log_and_its_true_parameters(done: tuple[Path, Any]) -> None:
    assert done[1].returncode == 0, done[1].stderr
    folder = done[0] / "s"
    assert states(folder) == dict.fromkeys(NAMES, "finished")
    for i, name in enumerate(NAMES):
        config = status(folder / name)["config"]
        assert (config["optim.lr"], config["seed"]) == ([0.1, 0.0001][i // 2], [1, 2][i % 2])
        assert config["trainer.threads"] == 1, "two jobs share the cores"
        command_line = json.loads((folder / name / "environment.json").read_text())["command"]
        assert command_line[:2] == ["dltool", "train"]
        assert f"optim.lr={config['optim.lr']}" in command_line
        assert "epoch 2/2" in (folder / "logs" / f"{name}.txt").read_text()


def test_the_ranking_is_over_the_seeds(done: tuple[Path, Any]) -> None:
    table, printed = rows(done[0] / "s"), done[1].stdout
    assert [(row["optim.lr"], row["seed"], row["state"]) for row in table] == [
        ("0.1", "1", "finished"), ("0.1", "2", "finished"), ("0.0001", "1", "finished"), ("0.0001", "2", "finished")
    ]  # fmt: skip
    mean = {
        lr: statistics.fmean(float(row["val/accuracy"]) for row in table if row["optim.lr"] == lr)
        for lr in ("0.1", "0.0001")
    }
    assert f"{mean['0.1']:.4f} ± " in printed
    assert printed.index(f"│ {max(mean, key=mean.__getitem__)}") < printed.index(f"│ {min(mean, key=mean.__getitem__)}")
    best = printed.split("best  ")[1].splitlines()[0]
    assert f"optim.lr={max(mean, key=mean.__getitem__)}" in best
    assert "seed=" not in best


def test_a_job_equals_the_same_training_alone(
    done: tuple[Path, Any], dltool: Callable[..., Any], tmp_path: Path
) -> None:
    words = ["optim.lr=0.1", "seed=1", "trainer.threads=1", "run.dir=alone"]
    assert dltool("train", *SMALL, *words, cwd=tmp_path).returncode == 0
    assert (tmp_path / "alone/metrics.jsonl").read_text() == (done[0] / "s" / NAMES[0] / "metrics.jsonl").read_text()


def test_a_failing_job_is_told_and_the_others_go_on(sweep: Callable[..., Any], tmp_path: Path) -> None:
    done = sweep("optim=sgd", "optim.lr=1e30,0.1", "sweep.dir=s")
    assert done.returncode == 1
    assert "[1/2] failed" in done.stderr
    assert "the loss is" in done.stderr
    assert [row["state"] for row in rows(tmp_path / "s")] == ["failed", "finished"]
    assert "the loss is" in rows(tmp_path / "s")[0]["error"]


def test_nothing_starts_before_every_job_is_checked(sweep: Callable[..., Any], tmp_path: Path) -> None:
    done = sweep("optim.lr=0.1,-1", "sweep.dir=s")
    assert done.returncode == 2
    assert "optim.lr=-1" in done.stderr
    assert not (tmp_path / "s").exists()


def test_the_same_folder_goes_on_with_what_is_not_finished(again: Path) -> None:
    lost = again / "s" / NAMES[2]
    before = {name: (again / "s" / name / "status.json").stat().st_mtime_ns for name in NAMES if name != lost.name}
    expected = (lost / "metrics.jsonl").read_text()
    (lost / "status.json").unlink()  # As if it had never come to an end,
    shutil.rmtree(lost / "checkpoints")  # nor to a checkpoint.
    done = run_sweep(again, *FOUR)
    assert done.returncode == 0, done.stderr
    assert "3 of them finished already" in done.stderr
    assert {name: (again / "s" / name / "status.json").stat().st_mtime_ns for name in before} == before
    assert (lost / "metrics.jsonl").read_text() == expected


def test_a_folder_of_another_sweep_is_refused_with_the_difference(again: Path) -> None:
    done = run_sweep(again, "optim.lr=1e-1,1e-3", "seed=1,2", "sweep.dir=s")
    assert done.returncode == 2
    assert "optim.lr was 0.1 and 0.0001, now 0.1 and 0.001" in done.stderr
    done = run_dltool("resume", "s", cwd=again)
    assert done.returncode == 2
    assert f"hint: dltool train -m {' '.join(SMALL[:1])}" in done.stderr
    assert done.stderr.rstrip().endswith("sweep.dir=s")
    (again / "other").mkdir()
    (again / "other" / "thesis.txt").write_text("mine")
    done = run_sweep(again, "seed=1,2", "sweep.dir=other")
    assert done.returncode == 2
    assert "is not a sweep folder" in done.stderr
    assert [path.name for path in (again / "other").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["seed=range(3,1)"], "has no values"),
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
    # Long enough that the jobs are at work when the second shell has been told so, on a busy machine too.
    words = ["train", "-m", *SMALL, "trainer.epochs=300", "seed=1,2,3", "sweep.n_jobs=2", "sweep.dir=s"]
    process = Command(*words, cwd=tmp_path)
    wait_for((tmp_path / "s" / "sweep.json").exists)
    # A second shell is told who is at work.
    second = run_dltool(*words, cwd=tmp_path)
    assert second.returncode == 2
    assert f"process {process.pid} is at work" in second.stderr
    wait_for(lambda: any((tmp_path / "s").glob("*/checkpoints/step-*")))
    process.send_signal(signum)
    stopped = process.wait(timeout=300)
    assert stopped.returncode == (130 if signum == signal.SIGINT else -signal.SIGKILL)
    if signum == signal.SIGINT:
        assert "save their progress" in stopped.stderr
        assert set(states(tmp_path / "s").values()) <= {"interrupted", "finished"}
    # After a kill -9 the jobs notice that the sweep is gone, save, and end.
    wait_for(lambda: "running" not in states(tmp_path / "s").values())
    done = run_dltool(*words, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    assert set(states(tmp_path / "s").values()) == {"finished"}
    assert all(row["epoch"] == "300" for row in rows(tmp_path / "s"))


def wait_for(condition: Callable[[], bool], seconds: float = 300.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_sigterm_to_every_process_of_a_sweep_interrupts_it(tmp_path: Path) -> None:
    # As `timeout` and batch systems send it.
    words = ["train", "-m", *SMALL, "seed=1,2", "sweep.n_jobs=2", "sweep.dir=s"]
    words[words.index("trainer.epochs=2")] = "trainer.epochs=100000"
    folder = tmp_path / "s"
    with (tmp_path / "printed").open("w") as printed:
        sweep = subprocess.Popen(
            command(*words), cwd=tmp_path, start_new_session=True, env=one_thread(), stdout=printed, stderr=printed
        )
        wait_for(lambda: sum(status(path.parent)["epoch"] > 0 for path in folder.glob("*/status.json")) == 2)
        os.killpg(sweep.pid, signal.SIGTERM)
        assert sweep.wait(timeout=60) == 143
    assert set(states(folder).values()) == {"interrupted"}
    assert "failed" not in (tmp_path / "printed").read_text()


@pytest.mark.parametrize(
    ("signum", "state", "message"),
    [
        (signal.SIGKILL, "failed", "killed by SIGKILL"),
        (signal.SIGTERM, "interrupted", "interrupted: 000_trainer.epochs=100000: the same command continues it"),
    ],
)
def test_a_job_that_the_system_ends_is_recorded(
    tmp_path: Path, signum: signal.Signals, state: str, message: str
) -> None:
    words = ["train", "-m", *SMALL, "sweep.n_jobs=2", "sweep.dir=s"]
    words[words.index("trainer.epochs=2")] = "trainer.epochs=100000,2"
    process = Command(*words, cwd=tmp_path)
    names = ["000_trainer.epochs=100000", "001_trainer.epochs=2"]
    victim = tmp_path / "s" / names[0]
    wait_for(lambda: (victim / "status.json").exists() and status(victim)["epoch"] > 0)
    os.kill(status(victim)["pid"], signum)
    done = process.wait(timeout=300)
    assert done.returncode == 1
    assert message in done.stderr
    assert states(tmp_path / "s") == dict(zip(names, [state, "finished"], strict=True))


@pytest.mark.parametrize(
    ("code", "state", "error"),
    [(130, "interrupted", None), (143, "interrupted", None), (-9, "failed", "SIGKILL"), (-15, "interrupted", None)],
)
def test_a_job_that_a_signal_ends_before_it_handles_them(
    code: int, state: str, error: str | None, tmp_path: Path
) -> None:
    job = Job(0, (), {})
    begun = {"state": "running", "step": 0, "epoch": 0, "metrics": {}, "stopped_by": None, "error": None}
    folder = tmp_path / job.name
    folder.mkdir()
    (folder / "status.json").write_text(json.dumps({**begun, "seconds": {"total": 0.1}, "total_steps": 4}))
    result = JobFolder(tmp_path, [job]).settle(job, code)
    assert result.state == status(folder)["state"] == state
    assert (error or "") in (result.error or "")
    assert (result.error is None) == (error is None)


def test_a_quiet_sweep_writes_its_page(tmp_path: Path) -> None:
    quiet = run_sweep(tmp_path, "optim.lr=0.1,0.01", "sweep.dir=s", "trainer.epochs=1", "--quiet")
    assert (quiet.returncode, quiet.stdout) == (0, "s\n"), quiet.stderr
    assert (tmp_path / "s" / "report.html").is_file()


def test_sweep_json_has_no_password(dltool_here, tmp_path):
    words = ["train", "-m", "seed=1,2", "model=mlp", "data=iris", "trainer.steps=1", "sweep.dir=s", "--quiet"]
    words += ["logger.mlflow.uri=https://me:hunter2@host.invalid/x", "logger.report=false", "logger.plots=false"]
    assert dltool_here(*words).returncode == 0
    texts = [path.read_text(errors="replace") for path in (tmp_path / "s").rglob("*") if path.is_file()]
    assert not any("hunter2" in text for text in texts)
    assert "***@host.invalid" in (tmp_path / "s" / "sweep.json").read_text()
    assert dltool_here(*words).returncode == 0  # The same sweep: nothing is left to do.
