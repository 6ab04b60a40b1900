"""Workers that are stopped or killed end the training in good time, with their process id and the cause."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from warm_process import Command

from dltool.core.errors import WorkerError
from dltool.core.stop_request import STOP
from dltool.data import decoding_workers
from dltool.data.decoding_workers import Failures, WorkerPool
from dltool.engine.checkpoint import committed, load

SHAPE = (3, 4, 5)
WORDS = ["train", "data=image_folder", "model=mlp", "model.hidden=[4]", "data.residency=loader", "data.workers=2"]
WORDS += ["data.batch_size=4", "trainer.epochs=100000", "trainer.device=cpu", "trainer.threads=1"]
WORDS += ["data.val_fraction=0", "data.test_fraction=0", "trainer.test=none", "trainer.checkpoint.every_n_steps=20"]
WORDS += ["logger.plots=false", "logger.report=false", "run.dir=run"]


def numbered(images: np.ndarray, rows: list[int]) -> Failures:
    """Images with the numbers of their files; a multiple of ten cannot be decoded."""
    for place, row in enumerate(rows):
        images[place] = row % 256
    return [(place, f"{row}: {'名' * 2000}") for place, row in enumerate(rows) if row % 10 == 0]


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(numbered, SHAPE, 2, timeout=1.0)
    yield pool
    pool.close()


def test_batches_of_any_size_come_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding_workers, "PIECE_IMAGES", 7)
    pool = WorkerPool(numbered, SHAPE, 3, timeout=60.0)
    sizes = [1, 0, 7, 8, 50, 3, 200] * 3
    rows = iter(range(sum(sizes)))
    batches = [[next(rows) for _ in range(size)] for size in sizes]
    for batch, (images, failures) in zip(batches, pool.decode(batches), strict=True):
        assert images.shape == (len(batch), *SHAPE)
        assert images[:, 0, 0, 0].tolist() == [row % 256 for row in batch]
        assert [place for place, _ in failures] == [place for place, row in enumerate(batch) if row % 10 == 0]
        assert all(reason.startswith(f"{batch[place]}: 名名") for place, reason in failures)
    processes = [worker.process for worker in pool.workers]
    pool.close()
    assert not any(process.is_alive() for process in processes)


def test_a_stopped_worker_is_named_after_the_timeout(pool: WorkerPool) -> None:
    pids = [worker.process.pid or 0 for worker in pool.workers]
    batches = pool.decode([[row] for row in range(100)])
    next(batches)
    os.kill(pids[0], signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(WorkerError, match=rf"process id {pids[0]} has not answered for 1 s .*SIGSTOP") as caught:
        list(batches)
    assert 1.0 <= time.monotonic() - began < 10.0
    assert "data.workers=0" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("signum", "cause", "hint"),
    [(signal.SIGKILL, "SIGKILL, perhaps because memory", "data.workers=1 needs"), (signal.SIGUSR1, "SIGUSR1", "=1 ")],
)
def test_a_killed_worker_is_named_at_once(pool: WorkerPool, signum: int, cause: str, hint: str) -> None:
    pid = pool.workers[1].process.pid or 0
    batches = pool.decode([[row] for row in range(100)])
    next(batches)
    os.kill(pid, signum)
    with pytest.raises(WorkerError, match=f"process id {pid} was killed by {cause}") as caught:
        list(batches)
    assert hint in str(caught.value.hint)


def test_an_error_in_a_worker_has_its_exit_code() -> None:
    def leaving(_images: np.ndarray, _rows: list[int]) -> Failures:
        os._exit(9)

    pool = WorkerPool(leaving, SHAPE, 1, timeout=60.0)
    with pytest.raises(WorkerError, match="ended with exit code 9"):
        next(pool.decode([[1]]))
    pool.close()


def test_after_a_signal_nothing_waits_for_a_stopped_worker(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding_workers, "GRACE_SECONDS", 0.1)
    for worker in pool.workers:
        os.kill(worker.process.pid or 0, signal.SIGSTOP)
    monkeypatch.setattr(STOP, "received", True)
    images = [images for images, _ in pool.decode([[1, 2], [3]])]
    assert [batch[:, 0, 0, 0].tolist() for batch in images] == [[1, 2], [3]]


@pytest.fixture
def training(tmp_path: Path) -> Iterator[Command]:
    """A training on image files that has taken 20 steps."""
    for i in range(20):
        path = tmp_path / "images" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (i, 2 * i, 3 * i)).save(path)
    training = Command(*WORDS, f"data.root={tmp_path / 'images'}", "data.timeout=2", cwd=tmp_path)
    deadline = time.monotonic() + 120
    # Old checkpoints are removed, so one may not wait for the name of a certain one.
    while not any(path.name >= "step-000020" for path in (tmp_path / "run/checkpoints").glob("step-??????")):
        assert not training.ended(), training.wait()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield training
    if not training.ended():
        training.send_signal(signal.SIGKILL)


def workers_of(training: Command) -> list[int]:
    children = Path(f"/proc/{training.pid}/task/{training.pid}/children").read_text().split()
    assert len(children) == 2
    return list(map(int, children))


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("signum", "cause"), [(signal.SIGSTOP, "has not answered for 2 s"), (signal.SIGKILL, "was killed by SIGKILL")]
)
def test_a_training_ends_and_resumes(training: Command, tmp_path: Path, signum: int, cause: str) -> None:
    pids = workers_of(training)
    os.kill(pids[0], signum)
    done = training.wait(60)
    assert done.returncode == 1
    error, hint = done.stderr.splitlines()[-2:]
    assert f"process id {pids[0]} {cause}" in error
    assert "the last good checkpoint is step-" in error
    assert hint.startswith("hint: dltool resume run continues; data.workers=")
    assert gone(pids)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_a_signal_during_the_wait_saves_the_step(training: Command, tmp_path: Path, dltool: Any) -> None:
    pids = workers_of(training)
    os.kill(pids[0], signal.SIGSTOP)
    time.sleep(0.3)
    training.send_signal(signal.SIGTERM)
    done = training.wait(60)
    assert done.returncode == 143, done.stderr
    assert "which is saved" in done.stderr
    assert gone(pids)
    step = load(committed(tmp_path / "run/checkpoints")[0]).step
    done = dltool("resume", "run", f"trainer.steps={step + 3}", "data.workers=0", "--quiet")
    assert done.returncode == 0, done.stderr
