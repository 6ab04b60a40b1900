"""What a power cut leaves: a run that can be used, and no checkpoint that counts on what is not there."""

import os
from pathlib import Path

import pytest

from dltool.engine.checkpoint import CheckpointStore
from dltool.engine.observer import Observer
from dltool.training.train import train

FILES = ("config.yaml", "data.json", "environment.json", "preprocessing.json", "status.json")


@pytest.fixture
def synced(monkeypatch):
    """Inode to the size that was last waited for; of a folder None."""
    sizes: dict[int, int | None] = {}
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        status = os.fstat(descriptor)
        sizes[status.st_ino] = status.st_size if os.path.isfile(f"/proc/self/fd/{descriptor}") else None  # noqa: PTH113
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return sizes


class AtFirstStep(Observer):
    """Looks at the run folder as soon as a step is taken."""

    every_n_steps = 1

    def __init__(self, folder: Path, synced: dict[int, int | None]) -> None:
        self.folder, self.synced = folder, synced
        self.seen: list[str] = []

    def on_steps(self) -> None:
        if not self.seen:
            self.seen = [name for name in FILES if self.is_on_disk(self.folder / name)]
            assert self.folder.stat().st_ino in self.synced
            assert self.folder.parent.stat().st_ino in self.synced

    def is_on_disk(self, path: Path) -> bool:
        return path.exists() and self.synced.get(path.stat().st_ino) == path.stat().st_size


@pytest.fixture
def config(configure, tmp_path):
    return configure(
        "model=mlp", "data=iris", "trainer.epochs=3", "logger.every_n_steps=1", f"run.dir={tmp_path}/new/run"
    )


def test_a_run_is_whole_on_the_disk_before_its_first_step(config, tmp_path, synced):
    looking = AtFirstStep(tmp_path / "new" / "run", synced)
    assert train(config, config, quiet=True, observers=[looking]).exit_code == 0
    assert looking.seen == list(FILES)


def test_a_checkpoint_waits_for_the_records_that_it_counts(config, tmp_path, synced, monkeypatch):
    metrics = tmp_path / "new" / "run" / "metrics.jsonl"
    commit, waited = CheckpointStore.commit, []

    def committing(store, step, weights, state, values):
        assert metrics.read_bytes().count(b"\n") == state["num_records"]
        waited.append(synced.get(metrics.stat().st_ino) == metrics.stat().st_size)
        return commit(store, step, weights, state, values)

    monkeypatch.setattr(CheckpointStore, "commit", committing)
    assert train(config, config, quiet=True).exit_code == 0
    assert len(waited) >= 3
    assert all(waited)


def test_config_yaml_comes_last(config, tmp_path, monkeypatch):
    """A kill on the way to the first step leaves a run that can be used, or none; never one without preprocessing."""
    written, replace = [], os.replace

    def noting(source, target, **options):
        written.append(str(target))
        if target == "config.yaml":
            raise KeyboardInterrupt
        replace(source, target, **options)

    monkeypatch.setattr(os, "replace", noting)
    with pytest.raises(KeyboardInterrupt):
        train(config, config, quiet=True)
    assert sorted(written) == sorted([*FILES, "environment.json"])  # Once more with the hash of config.yaml.
    assert written[-1] == "config.yaml"
