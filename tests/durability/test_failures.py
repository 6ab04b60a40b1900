"""What ends a training from outside is named in one line, and nothing bad is saved."""

import errno
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from dltool.core.out_of_memory import is_out_of_memory
from dltool.core.safe_path import SafePath
from dltool.engine.checkpoint import CheckpointStore
from dltool.tasks.supervised import SupervisedTask

WORDS = ["train", "model=mlp", "data=iris", "trainer.device=cpu", "trainer.threads=1", "trainer.epochs=3"]
WORDS += ["logger.plots=false", "logger.report=false", "run.dir=run"]
Dltool = Callable[..., Any]

OUT_OF_MEMORY = {
    "gpu": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    "cpu": RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
    "python": MemoryError(),
}


@pytest.mark.parametrize("kind", OUT_OF_MEMORY)
def test_out_of_memory(kind: str, dltool_here: Dltool, monkeypatch: pytest.MonkeyPatch) -> None:
    train_step, taken = SupervisedTask.train_step, []

    def failing(task: SupervisedTask, *arguments: Any) -> Any:
        if len(taken) == 5:
            raise OUT_OF_MEMORY[kind]
        taken.append(1)
        return train_step(task, *arguments)

    monkeypatch.setattr(SupervisedTask, "train_step", failing)
    done = dltool_here(*WORDS, "data.batch_size=20")
    assert done.returncode == 1
    error, hint = done.stderr.splitlines()[-2:]
    assert error.startswith("error: out of memory on cpu at step 5 with data.batch_size=20 (at most ")
    assert "GiB in use" in error
    assert hint == "hint: trainer.accumulate=2 needs less memory, for the same gradient"


def test_other_errors_are_not_of_memory() -> None:
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_out_of_memory(ValueError("can't allocate memory"))


@pytest.mark.parametrize("epochs", [1, 5])
def test_weights_that_give_nan_are_not_saved(epochs: int, dltool_here: Dltool, tmp_path: Path) -> None:
    """The last update has no loss after it, and the only update of an epoch is evaluated before the next loss."""
    words = ["data.batch_size=full", "optim=sgd", "optim.lr=3e38", "trainer.checkpoint.every_n_epochs=1"]
    done = dltool_here(*WORDS, *words, f"trainer.epochs={epochs}")
    assert done.returncode == 1
    assert "the validation loss is nan after step 1, so no checkpoint is saved" in done.stderr
    assert "no checkpoint exists yet" in done.stderr
    assert not list((tmp_path / "run" / "checkpoints").glob("step-*"))


def test_infinite_weights_are_not_saved(dltool_here: Dltool, monkeypatch: pytest.MonkeyPatch) -> None:
    train_step = SupervisedTask.train_step

    def spoiling(task: SupervisedTask, *arguments: Any) -> Any:
        logs = train_step(task, *arguments)
        next(task.model.parameters()).data.view(-1)[0] = torch.inf
        return logs

    monkeypatch.setattr(SupervisedTask, "train_step", spoiling)
    done = dltool_here(*WORDS, "data.batch_size=full", "data.val_fraction=0", "trainer.epochs=1")
    assert done.returncode == 1
    assert "weight is not finite after step 1, so no checkpoint is saved" in done.stderr


CAUSES = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EIO: "the disk reports an input/output error",
    errno.EROFS: "the file system is read-only",
}


def test_a_disk_without_room_for_checkpoints_is_reported_before_training(
    dltool_here: Dltool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The MLP on iris has 67 parameters: a checkpoint's weights take 268 bytes."""
    words = [*WORDS, "model=mlp", "model.hidden=[8]", "data=iris"]
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=535))
        done = dltool_here(*words)
        assert done.returncode == 2
        assert "2 checkpoints of this model need at least 0.0 MB" in done.stderr
        assert "hint: free disk space, or run.dir=FOLDER on another disk" in done.stderr
        assert not (tmp_path / "run").exists()
        patch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=536))
        assert dltool_here(*words).returncode == 0
        patch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=267))
        assert dltool_here("resume", "run", "trainer.epochs=4").returncode == 2
    assert dltool_here("resume", "run", "trainer.epochs=4").returncode == 0


@pytest.mark.parametrize("number", CAUSES)
@pytest.mark.parametrize("name", ["status.json", "preprocessing.json", "environment.json", "config.yaml"])
def test_a_disk_that_fails_at_the_creation_leaves_no_folder(
    name: str, number: int, dltool_here: Dltool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = SafePath.write

    def failing(file: SafePath, *arguments: Any, **options: Any) -> None:
        if file.name == name:
            raise OSError(number, "as the system says it")
        write(file, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(SafePath, "write", failing)
        done = dltool_here(*WORDS)
    assert done.returncode == 2
    assert CAUSES[number] in done.stderr
    assert not (tmp_path / "run").exists()
    assert dltool_here(*WORDS).returncode == 0


@pytest.mark.parametrize("number", CAUSES)
def test_a_disk_that_fails_at_a_checkpoint_names_cause_and_last_good_one(
    number: int, dltool_here: Dltool, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = CheckpointStore.commit

    def failing(store: CheckpointStore, step: int, *contents: Any) -> Path:
        if step == 4:
            raise OSError(number, "as the system says it")
        return commit(store, step, *contents)

    words = ["trainer.checkpoint.every_n_epochs=1", "data.batch_size=64"]
    with monkeypatch.context() as patch:
        patch.setattr(CheckpointStore, "commit", failing)
        done = dltool_here(*WORDS, *words)
    assert done.returncode == 1
    error, hint = done.stderr.splitlines()[-2:]
    assert f"{CAUSES[number]} at step 4" in error
    assert "the last good checkpoint is step-000002" in error
    assert hint.endswith("then dltool resume run")
    assert dltool_here("resume", "run").returncode == 0
