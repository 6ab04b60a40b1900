"""torchrun on two hosts: the training of one process, and its end when a host or the cable fails."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from two_hosts import Host, train_on_both, two_hosts
from uninterrupted import check_exact
from warm_process import run_dltool

from dltool.engine.checkpoint import load_newest

pytestmark = pytest.mark.slow
QUICK = (
    *(
        "model=mlp",
        "data=iris",
        "model.dropout=0.2",
        "schedule=constant",
        "trainer.device=cpu",
        "trainer.threads=1",
        "logger.plots=false",
    ),
    *("logger.report=false", "diagnostics=none", "--quiet"),
)
ENDLESS = (
    *QUICK,
    "trainer.steps=1000000",
    "trainer.evaluate_every_n_epochs=3",
    "trainer.checkpoint.every_n_steps=20",
    "run.dir=run",
)
TIMEOUT = 6.0  # Seconds.


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    with two_hosts() as both:
        yield both


def wait_for_checkpoint(folder: Path) -> None:
    deadline = time.monotonic() + 90
    while not list(folder.glob("run/checkpoints/step-*")):
        assert time.monotonic() < deadline, outputs(folder)
        time.sleep(0.1)


def outputs(folder: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.glob("host*.txt")))


def newest_step(folder: Path) -> int:
    return max(int(path.name[5:11]) for path in (folder / "run" / "checkpoints").glob("step-*"))


def weights(run: Path) -> dict[str, torch.Tensor]:
    checkpoint = load_newest(run / "checkpoints", pytest.fail)
    assert checkpoint is not None
    return checkpoint.weights


def test_two_hosts_have_the_bits_of_one_process(hosts: tuple[Host, Host], tmp_path: Path) -> None:
    words = ("train", *QUICK, "trainer.epochs=3")
    train_on_both(hosts, [*words, "run.dir=two"], tmp_path, processes=2)
    for host in hosts:
        assert host.processes[0].wait(150) == 0, outputs(tmp_path)
    assert run_dltool(*words, "trainer.accumulate=4", "run.dir=one", cwd=tmp_path).returncode == 0
    two, one = weights(tmp_path / "two"), weights(tmp_path / "one")
    assert all(torch.equal(tensor, one[name]) for name, tensor in two.items())


@pytest.mark.parametrize("lost", [0, 1])
def test_a_host_is_killed(hosts: tuple[Host, Host], tmp_path: Path, lost: int) -> None:
    train_on_both(hosts, ["train", *ENDLESS], tmp_path)
    wait_for_checkpoint(tmp_path)
    hosts[lost].kill()
    survivor = hosts[1 - lost]
    survivor.seconds_until_empty(15)
    assert survivor.processes[0].wait(5) != 0
    if lost == 1:
        assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "failed"
    check_exact(tmp_path, ENDLESS, newest_step(tmp_path) + 10)


@pytest.mark.parametrize("side", [0, 1])
def test_a_cut_cable_ends_both_sides(
    hosts: tuple[Host, Host], tmp_path: Path, side: int, record_property: Callable[[str, object], None]
) -> None:
    train_on_both(hosts, ["train", *ENDLESS, f"trainer.timeout_minutes={TIMEOUT / 60}"], tmp_path)
    wait_for_checkpoint(tmp_path)
    start = time.monotonic()
    hosts[side].cut()
    for host in hosts:
        host.seconds_until_empty(TIMEOUT + 25)
        record_property(host.name, time.monotonic() - start)
    assert time.monotonic() - start < TIMEOUT + 25
    assert all(host.processes[0].wait(5) != 0 for host in hosts)
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "failed"
    assert weights(tmp_path / "run")
