"""Sweeps and studies whose jobs run on a Ray cluster of two nodes, with two processes each."""

import csv
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from warm_process import Command, run_dltool

from dltool.core.errors import ConfigError

SMALL = (
    *("model=mlp", "model.hidden=[8]", "data=iris", "logger.plots=false", "logger.report=false", "diagnostics=none"),
    *("trainer.device=cpu", "trainer.devices=2", "trainer.epochs=2"),
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes with two processors each, so that each runs a job."""
    utils = pytest.importorskip("ray.cluster_utils")
    with pytest.MonkeyPatch.context() as to:
        to.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]))
        to.setenv("RAY_USAGE_STATS_ENABLED", "0")
        nodes = utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
        nodes.add_node(num_cpus=2)
        to.setenv("RAY_ADDRESS", nodes.address)
        yield nodes
        nodes.shutdown()


def words(*more: str) -> list[str]:
    return ["train", "-m", *SMALL, "sweep.cluster=ray", "sweep.n_jobs=2", "sweep.dir=s", *more]


def states(folder: Path) -> list[str]:
    with (folder / "s" / "sweep.csv").open(newline="") as file:
        return [row["state"] for row in csv.DictReader(file)]


def status(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "status.json").read_text()) if (run / "status.json").exists() else {}
    return found


def wait_until(ready: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_two_jobs_on_two_nodes(tmp_path: Path) -> None:
    done = run_dltool(*words("seed=1,2"), cwd=tmp_path, timeout=200)
    assert done.returncode == 0, done.stderr
    assert states(tmp_path) == ["finished", "finished"]
    for job in ("000_seed=1", "001_seed=2"):
        assert "rank 1 of 2" in (tmp_path / "s" / job / "log.rank1.txt").read_text()
        assert status(tmp_path / "s" / job)["config"]["trainer.threads"] == 1  # Of the two processors it has reserved.
    assert not list((tmp_path / "s" / "launcher").glob("stop-*"))


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_failed_and_killed_jobs_are_reported_and_the_other_finishes(tmp_path: Path) -> None:
    sweep = Command(*words("optim=sgd", "optim.lr=0.1,1e30,0.2", "trainer.steps=3000"), cwd=tmp_path)
    killed = tmp_path / "s" / "000_optim.lr=0.1"
    wait_until(lambda: status(killed).get("pid"))
    os.kill(status(killed)["pid"], signal.SIGKILL)
    done = sweep.wait(200)
    assert done.returncode == 1
    assert "failed: 000_optim.lr=0.1: killed by SIGKILL" in done.stderr
    assert "failed: 001_optim.lr=1e+30: the loss is" in done.stderr
    assert states(tmp_path) == ["failed", "failed", "finished"]


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_an_interrupted_sweep_continues(tmp_path: Path) -> None:
    long = words("seed=1,2,3", "trainer.steps=2000", "trainer.epochs=null")
    sweep = Command(*long, cwd=tmp_path)
    wait_until(lambda: all(status(tmp_path / "s" / job).get("step") for job in ("000_seed=1", "001_seed=2")))
    sweep.send_signal(signal.SIGINT)
    assert sweep.wait(90).returncode == 130
    assert states(tmp_path) == ["interrupted", "interrupted", "waiting"]
    done = run_dltool(*long, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    assert states(tmp_path) == ["finished"] * 3


@pytest.mark.slow
def test_a_job_continues_on_another_node_when_its_own_fails(cluster: Any, tmp_path: Path) -> None:
    node = cluster.add_node(num_cpus=4)  # The only one with room for a job of four processes.
    long = words("seed=1", "trainer.devices=4", "trainer.steps=2000", "trainer.epochs=null", "data.batch_size=20")
    sweep = Command(*long, "trainer.checkpoint.every_n_steps=50", cwd=tmp_path)
    run = tmp_path / "s" / "000"
    wait_until(lambda: list(run.glob("checkpoints/step-*")))
    cluster.add_node(num_cpus=4)
    cluster.remove_node(node, allow_graceful=False)
    done = sweep.wait(200)
    assert done.returncode == 0, done.stderr
    (since,) = json.loads((run / "environment.json").read_text())["resumed"]
    assert since["step"] >= 50


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_the_trials_of_a_study(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    study = ("tune.cluster=ray", "tune.n_jobs=2", "tune.trials=4", "tune.study=t", "tune.sampler=random")
    done = run_dltool("tune", *SMALL, *study, "optim.lr=interval(0.01,0.1)", cwd=tmp_path, timeout=200)
    assert done.returncode == 0, done.stderr
    found = [status(path.parent)["state"] for path in (tmp_path / "outputs/studies/t").glob("*/status.json")]
    assert found == ["finished"] * 4


def test_ray_that_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from dltool.search.ray_jobs import RayWorkers

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"sweep\.cluster=ray needs the package ray") as caught:
        RayWorkers("sweep.cluster", 1, tmp_path)
    assert caught.value.hint == 'pip install "dltool-torch[ray]"'


def test_a_cluster_and_a_launcher_are_two(dltool_here: Callable[..., Any]) -> None:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    done = dltool_here(*words("seed=1,2", "hydra/launcher=submitit_local"))
    assert done.returncode == 2
    assert "are two" in done.stderr
