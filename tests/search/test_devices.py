"""The jobs of a sweep and the trials of a study share the machine, also with several processes each."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from dltool.config.check import Config
from dltool.config.compose import Composed
from dltool.search import job
from dltool.search.assignment import Assignment
from dltool.search.job import share_machine

Dltool = Callable[..., subprocess.CompletedProcess[str]]
SMALL = (
    *("model=mlp", "model.hidden=[8]", "data=iris", "logger.plots=false", "logger.report=false", "diagnostics=none"),
    *("trainer.device=cpu", "trainer.threads=1", "trainer.devices=2"),
)


def shared(config: Config, slot: int, num_slots: int) -> dict[str, object]:
    here = Path()
    trainer: dict[str, object] = share_machine(
        config, Assignment((), Composed(), {}, here, here, here, slot=slot, num_slots=num_slots)
    )["trainer"]
    return trainer


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Eight GPUs and sixteen cores."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)
    monkeypatch.setattr(job, "available_cores", lambda: 16)
    return monkeypatch


@pytest.mark.parametrize(
    ("devices", "num_slots", "visible"),
    [
        ("2", 4, ["0,1", "2,3", "4,5", "6,7"]),
        ("auto", 2, ["0,1,2,3", "4,5,6,7"]),
        ("3", 3, ["0,1,2", "3,4,5", "6,7,0"]),  # More than there are: some are shared.
    ],
)
def test_each_job_sees_its_own_gpus(
    configure: Callable[..., Config], gpus: pytest.MonkeyPatch, devices: str, num_slots: int, visible: list[str]
) -> None:
    words = ["trainer.device=auto", "trainer.threads=auto", f"trainer.devices={devices}"]
    for slot, own in enumerate(visible):
        with gpus.context() as around:
            around.setenv("CUDA_VISIBLE_DEVICES", "")
            trainer = shared(configure(*words), slot, num_slots)
            assert os.environ["CUDA_VISIBLE_DEVICES"] == own
        assert trainer["device"] == "auto"
        assert trainer["devices"] == own.count(",") + 1
        assert trainer["threads"] == 16 // (num_slots * (own.count(",") + 1))


def test_of_the_gpus_that_are_visible(configure: Callable[..., Config], gpus: pytest.MonkeyPatch) -> None:
    gpus.setattr(torch.cuda, "device_count", lambda: 4)
    gpus.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b, 6,7")
    shared(configure("trainer.device=cuda", "trainer.devices=2"), 1, 2)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "6,7"


@pytest.mark.parametrize(
    ("words", "device", "devices"),
    [
        (["trainer.device=auto"], "cuda:3", 1),
        (["trainer.device=auto", "trainer.devices=auto"], "cuda:3", 1),  # As many jobs as GPUs.
        (["trainer.device=cpu", "trainer.devices=auto"], "cpu", 1),
        (["trainer.device=cpu", "trainer.devices=2"], "cpu", 2),
        (["trainer.device=auto", "trainer.devices=9"], "auto", 9),  # Which the training refuses.
    ],
)
def test_where_nothing_is_hidden(
    configure: Callable[..., Config], gpus: pytest.MonkeyPatch, words: list[str], device: str, devices: int
) -> None:
    trainer = shared(configure(*words), 3, 8)
    assert (trainer["device"], trainer["devices"]) == (device, devices)
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_the_jobs_of_a_sweep_train_with_two_processes(dltool: Dltool, tmp_path: Path) -> None:
    done = dltool("train", "-m", *SMALL, "trainer.epochs=2", "seed=1,2", "sweep.n_jobs=2", "sweep.dir=s")
    assert done.returncode == 0, done.stdout + done.stderr
    runs = [path.parent for path in (tmp_path / "s").glob("*/status.json")]
    assert [json.loads((run / "status.json").read_text())["state"] for run in runs] == ["finished"] * 2
    assert all("rank 1 of 2" in (run / "log.rank1.txt").read_text() for run in runs)


def test_a_study_prunes_trials_of_two_processes(dltool: Dltool, tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    words = ("tune.study=s", "tune.trials=3", "tune.startup_trials=1", "tune.warmup_epochs=0", "tune.seed=2")
    drawn = ("tune.sampler=random", "optim.lr=choice(0.1,1e-6)")  # 0.1 twice, then 1e-6.
    done = dltool("tune", *SMALL, *words, *drawn, "trainer.epochs=6")
    assert done.returncode == 0, done.stdout + done.stderr
    found = [json.loads(path.read_text()) for path in (tmp_path / "outputs/studies/s").rglob("status.json")]
    assert len(found) == 3
    pruned = [status for status in found if status["stopped_by"] == "pruned"]
    assert [status["config"]["optim.lr"] for status in pruned] == [1e-6]
    assert pruned[0]["epoch"] < 6
    assert "1 pruned, 0 failed" in done.stdout
