"""After a power cut a run continues from its newest checkpoint, or says that it never began.

A real file system (ext4 in a file) is stopped without being flushed, at moments between the writes of a run and at
random ones after its folder was made. Only root can mount one.
"""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from disk_image import DiskImage, can_mount
from places import one_thread
from states import same_state

from dltool.engine.checkpoint import committed, load
from dltool.runs.records import read_records

WORDS = ["train", "model=mlp", "model.hidden=[8]", "data=iris", "trainer.epochs=40", "trainer.threads=1"]
WORDS += ["trainer.device=cpu", "logger.plots=false", "logger.report=false", "logger.every_n_steps=1", "--quiet"]
WORDS += ["trainer.checkpoint.every_n_epochs=1"]
MOMENTS = ["made", "status.json", "preprocessing.json", "data.json", "environment.json", "config.yaml"]
MOMENTS += ["weights.safetensors", "manifest.json", "step-000002", "last", "weights.safetensors:3", "last:3", "best:2"]
NUM_RANDOM, WITHIN, SEED = 20, 0.3, 0
NEVER_BEGAN = "never began"
VICTIM = Path(__file__).parents[1] / "power_victim.py"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("power")
    (place / "probe").mkdir()
    if not can_mount(place / "probe"):
        pytest.skip("only root may mount a disk")
    return place


@pytest.fixture(scope="module")
def whole(place: Path) -> Path:
    """The same run without a power cut."""
    (place / "saved").touch()
    begin(place, "never", place).wait()
    return place / "run"


@pytest.fixture
def disk(place: Path, tmp_path: Path) -> Iterator[DiskImage]:
    with DiskImage.mounted(tmp_path) as disk:
        yield disk


def begin(folder: Path, moment: str, outside: Path) -> subprocess.Popen[str]:
    """Start the training in `folder`."""
    script = [sys.executable, str(VICTIM), moment, str(outside / "saved"), str(folder)]
    return start([*script, *WORDS, "run.dir=run"], folder)


def start(words: list[str], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(words, cwd=folder, env=one_thread(), stdout=-1, stderr=-1, text=True)


def resume(folder: Path) -> tuple[int, str]:
    process = start([sys.executable, "-m", "dltool", "resume", "run"], folder)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


def check_recovery(disk: DiskImage, saved: Path, whole: Path) -> str:
    """Mount the disk again, and continue; returns how."""
    disk.unmount()
    disk.mount()
    run = disk.folder / "run"
    reached = max(map(int, saved.read_text().split()), default=0) if saved.exists() else 0
    if not run.exists():
        assert reached == 0
        return "not made"
    steps = [load(path).step for path in committed(run / "checkpoints")]  # None is damaged.
    assert max(steps, default=0) >= reached, "a checkpoint that was committed is gone"
    code, said = resume(disk.folder)
    if code == 2 and "nothing is left to do" in said:
        assert max(steps) == max(load(path).step for path in committed(whole / "checkpoints"))
        assert read_records(run / "metrics.jsonl") == read_records(whole / "metrics.jsonl")
        return "finished"
    if code == 2:
        assert reached == 0
        assert not steps
        assert NEVER_BEGAN in said.splitlines()[0]
        return NEVER_BEGAN
    assert code == 0, said
    assert (f"resuming at step {max(steps)} " if steps else "no checkpoint was committed yet") in said
    assert same_state(*(load(committed(folder / "checkpoints")[0]).weights for folder in (run, whole)))
    assert read_records(run / "metrics.jsonl") == read_records(whole / "metrics.jsonl")
    return f"resumed at {max(steps, default=0)}"


@pytest.mark.parametrize("moment", MOMENTS)
def test_between_two_writes(moment: str, disk: DiskImage, whole: Path, tmp_path: Path) -> None:
    process = begin(disk.folder, moment, tmp_path)
    assert process.wait(120) == 9, process.communicate()
    print(moment, check_recovery(disk, tmp_path / "saved", whole))


@pytest.mark.parametrize("number", range(NUM_RANDOM))
def test_soon_after_the_folder_was_made(number: int, disk: DiskImage, whole: Path, tmp_path: Path) -> None:
    delay = random.Random(f"{SEED} {number}").uniform(0, WITHIN)
    process = begin(disk.folder, "never", tmp_path)
    while not (disk.folder / "run").exists():
        assert process.poll() is None
        time.sleep(0.001)
    time.sleep(delay)
    disk.cut_power()
    process.kill()
    process.communicate()
    print(f"{delay:.3f}", check_recovery(disk, tmp_path / "saved", whole))
