"""kill -9 of any process at random moments ends the others, and loses nothing that was committed."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from process_table import members
from two_hosts import is_zombie
from uninterrupted import check_exact
from warm_process import Command

from dltool.engine.checkpoint import is_good

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc"),
]
NUM_KILLS = int(os.environ.get("DLTOOL_KILLS", 20))
ENDED_SECONDS = 15
RUN = (
    *("model=mlp", "data=iris", "model.dropout=0.2", "data.batch_size=13", "schedule=constant"),
    *("trainer.device=cpu", "trainer.threads=1", "trainer.steps=1000000", "trainer.evaluate_every_n_epochs=3"),
    *("logger.plots=false", "logger.report=false", "diagnostics=none", "logger.every_n_steps=7"),
    *("trainer.checkpoint.every_n_steps=5", "--quiet"),
)


def newest_step(folder: Path) -> int:
    return max((int(path.name[5:11]) for path in (folder / "run" / "checkpoints").glob("step-*")), default=0)


def wait_for(ready: Callable[[], object], training: Command, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert not training.ended(), training.wait()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid: int) -> bool:
    return not is_zombie(pid)


def test_random_kills(tmp_path: Path) -> None:
    """Half of the kills hit rank 0, half the other process; some while they start."""
    draw, before, longest = random.Random(0), 0, 0.0
    for number in range(NUM_KILLS):
        first = number == 0
        words = ("train", *RUN, "run.dir=run", "trainer.devices=2") if first else ("resume", "run", "--quiet")
        training = Command(*words, cwd=tmp_path)
        wait_for(lambda: members(training.pid), training)  # noqa: B023 (called before the next)
        (member,) = members(training.pid)
        if first or draw.random() < 0.7:
            wait_for(lambda: newest_step(tmp_path) > before, training)  # noqa: B023
            time.sleep(draw.uniform(0, 0.3))
        else:
            time.sleep(draw.uniform(0, 4))
        victim = draw.choice([training.pid, member])
        os.kill(victim, signal.SIGKILL)
        start = time.monotonic()
        while (alive(member) or not training.ended()) and time.monotonic() - start < ENDED_SECONDS:
            time.sleep(0.02)
        longest = max(longest, time.monotonic() - start)
        assert not alive(member)
        assert training.ended()
        ended = training.wait()
        assert ended.returncode == (-signal.SIGKILL if victim == training.pid else 1), ended.stderr
        if victim == member:
            assert "rank 1: its process was killed by SIGKILL" in ended.stderr
        assert all(is_good(path) for path in (tmp_path / "run" / "checkpoints").glob("step-*"))
        assert newest_step(tmp_path) >= before  # Nothing that was committed is lost.
        before = newest_step(tmp_path)
    print(f"{NUM_KILLS} kills, {before} steps, the longest end took {longest:.1f} s")
    check_exact(tmp_path, RUN, before + 10)
