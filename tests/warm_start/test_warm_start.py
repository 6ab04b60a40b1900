"""Weights go where names and shapes agree; a run that began so can be repeated and resumed."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from places import NUMBERS_ONLY
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.core.errors import ConfigError, DataError
from dltool.runs.folder import RunFolder
from dltool.warm_start.warm_start import by_own_names, same_order, warm_start


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ((10, 84), (10, 84, 1, 1), True),
        ((120, 400), (120, 16, 5, 5), True),
        ((1, 84), (84,), True),
        ((), (1,), True),
        ((8, 3), (2, 4, 3), True),
        ((10, 84), (84, 10), False),
        ((4, 6), (3, 8), False),
        ((4, 6), (2, 3, 4), False),
        ((4,), (4, 2), False),
        ((4, 2), (4,), False),
        ((5,), (10,), False),
    ],
    ids=str,
)
def test_same_order(left: tuple[int, ...], right: tuple[int, ...], expected: bool) -> None:
    assert same_order(left, right) is same_order(right, left) is expected


def test_prefixes_come_off_only_where_the_rest_has_a_place() -> None:
    own = ["a", "model.b", "c"]
    theirs = ["module._orig_mod.a", "model.b", "model.c", "c", "model.d", "other.a"]
    assert by_own_names(theirs, own) == {"a": "module._orig_mod.a", "model.b": "model.b", "c": "c"}


class Net(nn.Module):
    def __init__(self, num_classes: int = 3) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 2), nn.BatchNorm2d(4))
        self.middle = nn.Conv2d(4, 5, 3)
        self.head = nn.Linear(5, num_classes)


def test_the_report(tmp_path: Path) -> None:
    old, new = Net(3), Net(7)
    theirs = {f"module.{name}": tensor for name, tensor in old.state_dict().items() if name != "body.0.bias"}
    theirs["module.middle.weight"] = theirs["module.middle.weight"].flatten(1)  # (5, 36)
    theirs["module.middle.bias"] = theirs["module.middle.bias"].int()
    path = tmp_path / "old.safetensors"
    save_file(theirs | {"extra": torch.zeros(1)}, path)
    before = {name: tensor.clone() for name, tensor in new.state_dict().items()}
    start = warm_start(new, str(path))
    assert start.as_dict() == {
        "path": str(path),
        "sha256": start.source.sha256,
        "remark": "",
        "loaded": 7,
        "reshaped": {"middle.weight": "(5, 36) there, (5, 4, 3, 3) here"},
        "skipped": {
            "body.0.bias": "not in the source",
            "middle.bias": "of another type: torch.int32 there, torch.float32 here",
            "head.weight": "of another shape: (3, 5) there, (7, 5) here",
            "head.bias": "of another shape: (3,) there, (7,) here",
        },
        "unused": ["extra"],
    }
    assert [note.split(":")[0] for note in start.notes()][1:] == ["reshaped", "not loaded", "not used"]
    assert start.notes()[2].endswith("and 1 more (environment.json)")
    for name, tensor in new.state_dict().items():
        expected = before[name] if name in start.skipped else old.state_dict()[name]
        assert torch.equal(tensor, expected), name


def test_nothing_fits(tmp_path: Path) -> None:
    save_file({"encoder.0.weight": torch.zeros(2, 2), "head.bias": torch.zeros(9)}, tmp_path / "a.safetensors")
    with pytest.raises(
        ConfigError,
        match=r"no key of .*a\.safetensors fits Net in name and shape; .*head\.bias \(9,\).*body\.0\.weight",
    ):
        warm_start(Net(), str(tmp_path / "a.safetensors"))


def test_numbers_that_are_not_finite(tmp_path: Path) -> None:
    torch.save({**Net().state_dict(), "head.bias": torch.tensor([1.0, torch.nan, 2.0])}, tmp_path / "a.pt")
    with pytest.raises(DataError, match=r"a\.pt: head\.bias has NaN or infinite numbers"):
        warm_start(Net(), str(tmp_path / "a.pt"))


def test_both_players_of_a_gan(configure: Callable[..., Config], tmp_path: Path) -> None:
    small = ["model.generator_hidden=[8]", "model.discriminator_hidden=[8]", "data=gaussians", "data.num_samples=100"]
    other = prepare(configure("model=gan", *small, "seed=1")).task.model.state_dict()
    save_file(other, tmp_path / "a.safetensors")
    config = configure("model=gan", *small, f"init_from={tmp_path / 'a.safetensors'}", "trainer.average.kind=ema")
    trainer = build_trainer(prepare(config), RunFolder(tmp_path))
    assert trainer.average is not None
    parameters = dict(zip(trainer.average.names, trainer.average.average, strict=True))
    for name, tensor in trainer.task.model.state_dict().items():
        assert torch.equal(tensor, other[name])
        assert name not in parameters or torch.equal(parameters[name], other[name])


Command = Callable[..., subprocess.CompletedProcess[str]]
TRAIN = ["train", "model=mlp", "data=iris", "trainer.device=cpu", *NUMBERS_ONLY, "--quiet"]


@pytest.fixture
def base(dltool_here: Command) -> Path:
    """A short run, in the empty folder that is now the working directory."""
    dltool_here(*TRAIN, "model.hidden=[8]", "trainer.epochs=1", "run.dir=base")
    return Path("base")


def last_weights(run: Path) -> dict[str, Tensor]:
    name = (run / "checkpoints" / "last").read_text().strip()
    return load_file(run / "checkpoints" / name / "weights.safetensors")


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return all(torch.equal(left[name], right[name]) for name in left)


def test_a_run_that_began_so_resumes_without_the_file_bit_by_bit(base: Path, dltool_here: Command) -> None:
    warm = [*TRAIN, "model.hidden=[8]", "init_from=base", "model.freeze=layers.0", "optim.lr_factors={layers.2:0.1}"]
    warm += ["trainer.average.kind=ema", "optim=adamw", "schedule=constant"]
    assert dltool_here(*warm, "trainer.epochs=3", "run.dir=whole").returncode == 0
    assert dltool_here(*warm, "trainer.steps=5", "trainer.epochs=3", "run.dir=parts").returncode == 0
    recorded = json.loads(Path("parts/environment.json").read_text())["init_from"]
    assert recorded["loaded"] == 4
    assert len(recorded["sha256"]) == 2
    shutil.move(base, "gone")
    done = dltool_here("resume", "parts", "trainer.steps=null", "--quiet")
    assert done.returncode == 0, done.stderr
    assert json.loads(Path("parts/environment.json").read_text())["init_from"] == recorded
    assert same(last_weights(Path("whole")), last_weights(Path("parts")))
    assert same({"layers.0.weight": last_weights(Path("gone"))["layers.0.weight"]}, last_weights(Path("parts")))
    assert not same(last_weights(Path("gone")), last_weights(Path("parts")))

    again = dltool_here(*TRAIN, "--from", "whole", "run.dir=again")
    assert again.returncode == 2
    assert "init_from=base: there is no run base" in again.stderr
    shutil.move("gone", base)
    assert dltool_here("train", "--quiet", "--from", "whole", "run.dir=again").returncode == 0
    assert same(last_weights(Path("whole")), last_weights(Path("again")))


def test_a_run_without_a_checkpoint_begins_with_the_same_weights_or_not_at_all(
    base: Path, dltool_here: Command
) -> None:
    weights = last_weights(base)
    save_file(weights, "a.safetensors")
    dltool_here(*TRAIN, "model.hidden=[8]", "init_from=a.safetensors", "trainer.epochs=1", "run.dir=run")
    expected = last_weights(Path("run"))
    shutil.rmtree("run/checkpoints")  # As if it had been killed before its first.
    assert dltool_here("resume", "run", "--quiet").returncode == 0
    assert same(expected, last_weights(Path("run")))
    shutil.rmtree("run/checkpoints")
    save_file({name: tensor + 1 for name, tensor in weights.items()}, "a.safetensors")
    done = dltool_here("resume", "run")
    assert done.returncode == 2
    assert "is not what run began with: its SHA-256 differs" in done.stderr


def test_fine_tuning(dltool_here: Command) -> None:
    """LeNet on the digits, then its features in another head on digits that are turned."""
    digits = ["train", "--quiet", "model=lenet", "trainer.device=cpu", *NUMBERS_ONLY, "trainer.limit_batches=20"]
    assert dltool_here(*digits, "trainer.epochs=2", "run.dir=base").returncode == 0
    tuned = [
        *digits,
        "model.hidden=[120,40]",
        "data.augment.rotation=20",
        "init_from=base",
        "optim=sgd",
        "optim.lr=0.1",
    ]
    tuned += ["schedule=constant", "model.freeze=[features.0]", "optim.lr_factors={features:0.01}"]
    done = dltool_here(*tuned, "trainer.steps=1", "run.dir=step")
    assert done.returncode == 0, done.stderr
    report = json.loads(Path("step/environment.json").read_text())["init_from"]
    assert report["loaded"] == 7
    assert list(report["skipped"]) == ["classifier.2.weight", "classifier.2.bias", "classifier.4.weight"]

    whole = [word for word in tuned if not word.startswith("optim.lr_factors")]
    dltool_here(*whole, "trainer.steps=1", "run.dir=same_rate")
    old, slow, fast = (last_weights(Path(run)) for run in ("base", "step", "same_rate"))
    for name in ("features.0.weight", "features.0.bias"):
        assert torch.equal(slow[name], old[name])
    for name, factor in (("features.3.weight", 0.01), ("classifier.0.weight", 1.0)):
        full = fast[name] - old[name]
        assert full.abs().max() > 1e-4
        assert torch.allclose(slow[name] - old[name], factor * full, atol=1e-7)
