"""A checkpoint is there whole or not at all, and a damaged one is never used."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from states import same_state

from dltool.core.errors import CheckpointError
from dltool.core.safe_path import SafePath
from dltool.engine.checkpoint import CheckpointStore, load
from dltool.engine.packing import pack, unpack

WEIGHTS = {"layer.weight": torch.arange(6.0).view(2, 3), "layer.bias": torch.zeros(0)}
STATE = {
    "updaters": {"model": {"optimizer": {"state": {0: {"step": torch.tensor(3.0)}}, "lr": 1e-3}}},
    "sums": (1, 2.5),
}


def save(store: CheckpointStore, *steps: int, **metrics: float) -> list[Path]:
    return [store.save(step, WEIGHTS, {**STATE, "step": step}, metrics) for step in steps]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_packing_round_trip() -> None:
    state = {
        1: [torch.ones(2), (3, None, "x", True)],
        "nan": float("nan"),
        "inf": -float("inf"),
        "__tensor__": {"deep": {"deeper": torch.tensor(1, dtype=torch.int64)}},
        "empty": {},
        "half": torch.ones(3, dtype=torch.bfloat16),
    }
    tensors, tree = pack(state)
    assert same_state(unpack(tree, tensors), state)
    with pytest.raises(TypeError, match=r"state\.bad is a set"):
        pack({"bad": {1, 2}})


def test_tied_and_strided_tensors_are_written_as_they_are(tmp_path: Path) -> None:
    big = torch.arange(12.0).view(3, 4)
    weights = {"a": big, "tied": big, "view": big[:, 1], "transposed": big.t()}
    path = CheckpointStore(tmp_path).save(1, weights, {}, {})
    assert all(torch.equal(load(path).weights[name], weights[name]) for name in weights)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    (path,) = save(CheckpointStore(tmp_path), 7, **{"val/loss": float("nan"), "val/accuracy": 0.5})
    loaded = load(path)
    assert loaded.step == 7
    assert same_state(loaded.weights, WEIGHTS)
    assert same_state(loaded.state, {**STATE, "step": 7})
    assert loaded.metrics["val/accuracy"] == 0.5
    assert names(path) == ["manifest.json", "state.safetensors", "weights.safetensors"]
    assert (tmp_path / "last").read_text() == "step-000007\n"


def test_last_k_and_best_k_are_kept(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep_last=2, keep_best=2, metric="val/loss", direction="min")
    for step, loss in enumerate([5.0, 1.0, 4.0, 2.0, 3.0, float("nan"), 9.0], start=1):
        store.save(step, WEIGHTS, STATE, {"val/loss": loss})
    assert [path.name for path in store.paths()] == ["step-000007", "step-000006", "step-000004", "step-000002"]
    assert (tmp_path / "best").read_text() == "step-000002\n"
    assert store.is_among_best(1.5)
    assert not store.is_among_best(2.5)
    assert not store.is_among_best(float("nan"))


def test_more_is_better_the_other_way_round(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep_last=1, keep_best=1, metric="val/accuracy", direction="max")
    for step, accuracy in enumerate([0.1, 0.9, 0.9, 0.3], start=1):
        store.save(step, WEIGHTS, STATE, {"val/accuracy": accuracy})
    assert (tmp_path / "best").read_text() == "step-000002\n"  # Of equals the first.


def test_the_same_step_twice(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    assert [path.name for path in save(store, 3, 3, 3)] == ["step-000003", "step-000003.1", "step-000003.2"]
    newest = store.newest(pytest.fail)
    assert newest is not None
    assert newest.path.name == "step-000003.2"


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "one bit flipped": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "a bit in the middle": lambda c: c[: len(c) // 2] + bytes([c[len(c) // 2] ^ 16]) + c[len(c) // 2 + 1 :],
}


@pytest.mark.parametrize("damage", [*DAMAGE, "missing"])
@pytest.mark.parametrize("file", ["weights.safetensors", "state.safetensors", "manifest.json"])
def test_a_damaged_newest_one_falls_back(damage: str, file: str, tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    _, newest = save(store, 1, 2)
    path = newest / file
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(DAMAGE[damage](path.read_bytes()))
    warnings: list[str] = []
    found = store.newest(warnings.append)
    assert found is not None
    assert found.step == 1
    assert len(warnings) == 1
    assert "damaged" in warnings[0]
    assert "step-000002" in warnings[0]


def test_none_good_is_an_error_and_none_at_all_is_none(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    assert store.newest(pytest.fail) is None
    for path in save(store, 1, 2):
        (path / "weights.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="none of the 2 checkpoints"):
        store.newest(lambda line: None)


def test_a_full_disk_leaves_the_last_good_one_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = CheckpointStore(tmp_path)
    (good,) = save(store, 1)
    before = {path.name: path.read_bytes() for path in good.iterdir()}

    def full(file: SafePath, content: bytes) -> None:
        file.path.parent.mkdir(exist_ok=True)
        file.path.write_bytes(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SafePath, "write", full)
    with pytest.raises(CheckpointError) as caught:
        save(store, 2)
    assert "the disk is full at step 2" in caught.value.message
    assert "the last good checkpoint is step-000001" in caught.value.message
    assert caught.value.exit_code == 1
    assert names(tmp_path) == ["last", "step-000001"]
    assert {path.name: path.read_bytes() for path in good.iterdir()} == before


def test_a_disk_that_was_full_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, write = CheckpointStore(tmp_path), SafePath.write
    failures = [True]

    def full_once(file: SafePath, content: bytes) -> None:
        if failures:
            failures.pop()
            raise OSError(errno.ENOSPC, "No space left on device")
        write(file, content)

    monkeypatch.setattr(SafePath, "write", full_once)
    save(store, 1)
    assert names(tmp_path) == ["last", "step-000001"]


def test_stale_temporary_folders_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".tmp-5-999").mkdir()
    (tmp_path / ".tmp-5-999" / "weights.safetensors").write_bytes(b"half")
    (tmp_path / ".tmp-last-999").write_text("step")
    CheckpointStore(tmp_path)
    assert names(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(CheckpointError, match="could not be written"):
            save(store, 1)
    finally:
        tmp_path.chmod(0o700)
