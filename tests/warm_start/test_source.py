"""What `init_from` can name, and what is said of what it cannot."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.core.errors import ConfigError, DataError
from dltool.engine.trainer import Trainer
from dltool.runs.folder import RunFolder
from dltool.warm_start.source import read_weights

WEIGHTS = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.ones(2)}


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth", ".bin", ".ckpt"])
def test_a_file_of_tensors(in_folder: Path, suffix: str) -> None:
    path = in_folder / f"权重 (1){suffix}"
    save_file(WEIGHTS, path) if suffix == ".safetensors" else torch.save(WEIGHTS, path)
    source = read_weights(path.name)
    assert same(source.weights, WEIGHTS)
    assert list(source.sha256) == [path.name]
    assert source.remark == ""


@pytest.mark.parametrize(
    ("content", "remark"),
    [
        ({"state_dict": WEIGHTS, "epoch": 3, "lr": [0.1]}, "under state_dict"),
        ({"model": {"weights": WEIGHTS}}, "under model.weights"),
        ({"state_dict": {}, "state_dict_ema": WEIGHTS}, "under state_dict_ema"),
        ({**WEIGHTS, "epoch": 3}, ""),
    ],
    ids=str,
)
def test_weights_among_other_things(in_folder: Path, content: dict[str, Any], remark: str) -> None:
    torch.save(content, "a.pt")
    source = read_weights("a.pt")
    assert same(source.weights, WEIGHTS)
    assert source.remark == remark


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"state_dict": WEIGHTS, "args": argparse.Namespace(lr=1)},
            "a.pt contains argparse.Namespace in addition to tensors",
        ),
        (torch.nn.Linear(2, 2), "a.pt contains torch.nn.modules.linear.Linear in addition to tensors"),
        ([torch.ones(2)], "a.pt has no named weights"),
        ({"epoch": 3}, "a.pt has no named weights"),
        (b"", "a.pt is damaged, or not a file of weights"),
        (b"hello", "a.pt is damaged, or not a file of weights"),
        (None, "a.pt does not exist"),
    ],
    ids=["namespace", "module", "list", "no tensors", "empty", "text", "gone"],
)
def test_a_file_that_is_none(in_folder: Path, content: Any, message: str) -> None:
    path = in_folder / "a.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises((ConfigError, DataError), match=message) as error:
        read_weights("a.pt")
    assert str(in_folder) in error.value.message
    assert error.value.hint


class Hostile:
    """Makes a folder when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("hacked",)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old format"])
def test_a_hostile_pickle_does_nothing(in_folder: Path, zipped: bool) -> None:
    torch.save({"state_dict": WEIGHTS, "more": Hostile()}, "a.ckpt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        DataError, match=r"a\.ckpt contains .*mkdir in addition to tensors, and reading that could run code"
    ):
        read_weights("a.ckpt")
    assert not Path("hacked").exists()


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_half_a_file(in_folder: Path, suffix: str) -> None:
    path = in_folder / f"a{suffix}"
    save_file(WEIGHTS, path) if suffix == ".safetensors" else torch.save(WEIGHTS, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=rf"a{suffix} is damaged"):
        read_weights(path.name)


def train(configure: Callable[..., Config], run: Path, *overrides: str) -> Trainer:
    run.mkdir(parents=True)
    config = configure("model=mlp", "model.hidden=[4]", "data=iris", "trainer.epochs=2", *overrides)
    trainer = build_trainer(prepare(config), RunFolder(run))
    RunFolder(run).write_config(config.tree)
    trainer.fit()
    return trainer


def test_a_run_and_its_checkpoints(configure: Callable[..., Config], in_folder: Path) -> None:
    run = Path("outputs/2026-01-31/12-00-00_mlp_iris")
    trainer = train(configure, run, "trainer.checkpoint.keep_last=3")
    newest, older = trainer.checkpoints.paths()[:2]
    for name in (str(run), run.name, f"{run.name}/checkpoints/last", f"{run}/checkpoints/{newest.name}"):
        source = read_weights(name)
        assert source.path.name == newest.name
        assert list(source.sha256) == ["weights.safetensors", "state.safetensors"]
    assert read_weights(f"{run.name}/checkpoints/{older.name}").path.name == older.name
    (run / "checkpoints" / "best").write_text(older.name)
    assert read_weights(f"{run}/checkpoints/best").path.name == older.name
    assert same(read_weights(f"{newest}/weights.safetensors").weights, read_weights(str(run)).weights)

    with pytest.raises(ConfigError, match=r"has no checkpoint step-9; there are last, best, step-") as error:
        read_weights(f"{run.name}/checkpoints/step-9")
    assert error.value.hint == f"init_from={newest}"
    with pytest.raises(ConfigError, match=r"init_from=12-00-00_mlp_irs: there is no run") as error:
        read_weights("12-00-00_mlp_irs")
    assert error.value.hint == f"did you mean {run}?"
    with pytest.raises(ConfigError, match="is neither a run folder nor a checkpoint"):
        read_weights("outputs")

    (newest / "weights.safetensors").write_bytes(b"0")
    with pytest.raises(DataError, match=r"weights\.safetensors is damaged: its SHA-256 differs") as error:
        read_weights(str(run))
    assert error.value.hint == f"init_from={older}"
    for path in trainer.checkpoints.paths():
        path.rename(in_folder / path.name)
    with pytest.raises(ConfigError, match="has no checkpoint yet"):
        read_weights(str(run))


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_of_a_run_with_an_average_the_averaged_weights(
    configure: Callable[..., Config], in_folder: Path, kind: str
) -> None:
    average = [f"trainer.average.kind={kind}", "trainer.average.decay=0.9", "trainer.average.start=0"]
    trainer = train(configure, Path("run"), *average, "model.norm=batch")
    source = read_weights("run")
    assert source.remark == "averaged weights"
    assert not same(source.weights, trainer.task.model.state_dict())
    with trainer.averaged_weights(refresh=False):
        assert same(source.weights, trainer.task.model.state_dict())
