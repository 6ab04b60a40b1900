"""kill -9 at random moments loses nothing that was committed."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from states import same_state

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.engine.checkpoint import is_good
from dltool.engine.trainer import Trainer
from dltool.observers.jsonl import JsonlLog, cut_back
from dltool.runs.folder import RunFolder
from dltool.runs.records import read_records

NUM_KILLS = 25


def go_on(config: Config, folder: Path) -> Trainer:
    """Train from where the folder stands to the end."""
    folder.mkdir(exist_ok=True)
    parts = prepare(config)
    trainer = build_trainer(parts, RunFolder(folder))
    checkpoint = trainer.checkpoints.newest(pytest.fail)  # No checkpoint may ever be found damaged.
    if checkpoint is not None:
        trainer.load(checkpoint)
    cut_back(folder / "metrics.jsonl", trainer.num_records)
    trainer.observers = [JsonlLog(folder / "metrics.jsonl")]
    trainer.fit()
    return trainer


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, to start a process in milliseconds")
def test_kill_minus_nine(configure: Callable[..., Config], tmp_path: Path) -> None:
    settings = ["model=mlp", "model.hidden=[16]", "data=iris", "data.batch_size=8", "trainer.epochs=60"]
    settings.append("logger.every_n_steps=2")
    whole = go_on(configure(*settings), tmp_path / "whole")
    config = configure(*settings, "trainer.checkpoint.every_n_steps=1")
    draw, folder, kills, reached = random.Random(0), tmp_path / "killed", 0, 0
    fork = multiprocessing.get_context("fork")
    for _ in range(NUM_KILLS):
        process = fork.Process(target=go_on, args=(config, folder))
        process.start()
        # In the middle of steps, of writing, of renaming, of pruning, and while it resumes.
        process.join(draw.uniform(0.01, 0.2))
        if process.is_alive():
            os.kill(process.pid or 0, signal.SIGKILL)
            kills += 1
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
        committed = sorted((folder / "checkpoints").glob("step-*")) if folder.exists() else []
        assert all(is_good(path) for path in committed)
        newest = max((int(path.name[5:11]) for path in committed), default=0)
        assert newest >= reached, "a committed checkpoint was lost"
        reached = newest
    assert kills >= 20, f"only {kills} kills came in time"
    assert reached > 0
    last = go_on(config, folder)
    assert same_state(whole.task.model.state_dict(), last.task.model.state_dict())
    assert read_records(folder / "metrics.jsonl") == read_records(tmp_path / "whole" / "metrics.jsonl")
    assert not list((folder / "checkpoints").glob(".tmp-*"))


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """A run whose process is gone can be held by another at once."""
    (tmp_path / "config.yaml").write_text("seed: 0\n")
    fork = multiprocessing.get_context("fork")
    process = fork.Process(target=hold_for_ever, args=(tmp_path,))
    process.start()
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    with pytest.raises(Exception, match=f"process {process.pid} is training"):
        RunFolder(tmp_path).hold()
    process.kill()
    process.join()
    RunFolder(tmp_path).hold()


def hold_for_ever(folder: Path) -> None:
    run = RunFolder(folder)
    run.hold()
    (folder / "held").touch()
    time.sleep(60)
