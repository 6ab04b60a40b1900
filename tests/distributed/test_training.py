"""Several processes train what one process trains with the same pieces."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from places import REPOSITORY
from synthetic_images import random_pixels
from together import together

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.core.errors import ConfigError, NonFiniteLossError
from dltool.distributed.gradient_sum import BUCKET_BYTES
from dltool.distributed.team import SOLO, Team
from dltool.engine.observer import Observer
from dltool.engine.signals import Interrupted
from dltool.runs.folder import RunFolder
from dltool.training.processes import with_devices

Configure = Callable[..., Config]
SHORT = ("trainer.steps=4", "data.batch_size=13", "trainer.test=none")
LAST_OF_ONE = ("data=iris", "data.batch_size=13", "trainer.epochs=2", "trainer.test=none")  # 105 = 8 · 13 + 1.

CASES = {
    "dropout and a last batch of one sample": ["model=mlp", *LAST_OF_ONE, "model.dropout=0.5"],
    "class weights": ["model=mlp", *LAST_OF_ONE, "loss=cross_entropy", "loss.class_weights=balanced"],
    "gan": ["model=gan", "model.generator_norm=null", *SHORT],
    "gradient penalty": ["model=wgan_gp", "model.generator_norm=null", *SHORT],
    "padded words": ["model=gpt", "data=pydoc", "data.length=16", "data.batch_size=6", "trainer.steps=3"],
    "mixed samples, clipping, an average": [
        *("model=lenet", *SHORT, "data.augment.mixup=0.4", "trainer.clip_norm=1", "trainer.average.kind=ema"),
    ],
    "a pool of earlier images": [
        *("model=cyclegan", "data=digit_pairs", "task.pool_size=3", "data.batch_size=4", "trainer.steps=3"),
        *("model.width=4", "model.blocks=1", "model.discriminator_width=4", "trainer.limit_batches=3"),
    ],
    "a carried state": [
        *("model=lstm", "data=pydoc", "task=language_model", "data.length=8", "data.batch_size=5", "trainer.steps=3"),
        *("model.hidden_dim=8", "model.embedding_dim=8", "trainer.limit_batches=2", "model.dropout=0.2"),
    ],
    "running means of styles and path lengths": [
        *("model=stylegan2", "model.width=2", "model.max_width=4", "model.latent_dim=4", "model.w_dim=4"),
        *("model.condition=input", "data.batch_size=5", "trainer.steps=5", "trainer.test=none"),
        "trainer.limit_batches=5",
    ],
    "LBFGS": ["model=mlp", "data=iris", "data.batch_size=full", "optim=lbfgs", "trainer.steps=3"],
}
MORE_CASES = {
    "lenet": ["model=lenet", *SHORT],
    "lstm": ["model=lstm", "data=reversal", "trainer.steps=4"],
    "transformer": ["model=transformer", "data=reversal", "trainer.steps=4"],
    "vae": ["model=vae", *SHORT],
    "word2vec": ["model=word2vec", "data=corpus", f"data.path={REPOSITORY / 'README.md'}", "trainer.steps=4"],
    "diffusion": ["model=unet", "task=diffusion", *SHORT],
}


@pytest.fixture(autouse=True)
def several_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """As large models have them, so that exchanges begin during the backward pass."""
    monkeypatch.setitem(BUCKET_BYTES, "cpu", 1000)


def trained(team: Team, config: Config, folder: Path | None = None, stop_at: int | None = None) -> dict[str, Any]:
    """The weights after a training, and the last line of each split; rank 0 has the folder, if any has."""
    config = with_devices(config, team.size)
    run = RunFolder(folder) if folder is not None and team.is_first else None
    parts = prepare(config, team=team)
    trainer = build_trainer(parts, run)
    lines: dict[str, Any] = {}

    class Lines(Observer):
        def on_record(self, record: dict[str, Any]) -> None:
            record = dict(record)
            lines[record.pop("split")] = record

    trainer.observers = [Lines()]
    if folder is None:
        trainer.checkpoints.save = lambda *_: None  # type: ignore[method-assign]
    if (checkpoint := None if folder is None else trainer.checkpoints.newest(print)) is not None:
        trainer.load(checkpoint)
    if stop_at is not None and team.rank == team.size - 1:  # The others hear of it.
        lines["signal"] = stop_signal(trainer, stop_at)
    try:
        trainer.fit()
    except Interrupted as interrupted:
        lines["signal"] = (interrupted.exit_code, trainer.progress.step)
    return {"weights": {name: tensor.clone() for name, tensor in parts.task.model.state_dict().items()}, **lines}


def stop_signal(trainer: Any, step: int) -> None:
    """Let a SIGTERM come during a step."""
    take_step = trainer.task.train_step

    def train_step(*args: Any) -> Any:
        if trainer.progress.step + 1 == step:
            trainer.signals.received = 15
        return take_step(*args)

    trainer.task.train_step = train_step


def one(config: Config, pieces: int, **how: Any) -> dict[str, Any]:
    """The same training of one process with as many pieces."""
    trainer = {**config["trainer"], "accumulate": pieces}
    config.tree["trainer"] = trainer
    return trained(SOLO, config, **how)


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(tensor, b[name]) for name, tensor in a.items())


def distance(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> float:
    """The L2 norm of the difference, relative to that of the weights."""
    pairs = [(tensor.double(), b[name].double()) for name, tensor in a.items()]
    return float((sum(((x - y) ** 2).sum() for x, y in pairs) / sum((x**2).sum() for x, _ in pairs)) ** 0.5)


@pytest.mark.parametrize("case", CASES)
def test_two_processes_have_the_bits_of_one_with_two_pieces(configure: Configure, tmp_path: Path, case: str) -> None:
    both = together(2, trained, configure(*CASES[case]), tmp_path)
    alone = one(configure(*CASES[case]), 2, folder=tmp_path / "alone")
    assert equal(both[0]["weights"], both[1]["weights"])
    assert equal(both[0]["weights"], alone["weights"])
    for split in ("train", "val"):
        assert both[0].get(split, {}) == pytest.approx(alone.get(split, {}), rel=1e-6)


def counted_rows(team: Team, config: Config) -> int:
    parts = prepare(with_devices(config, team.size), team=team)
    return parts.dataset.train.draw().size


def test_each_process_decodes_only_its_own_files(configure: Configure, tmp_path: Path) -> None:
    for number in range(26):
        path = tmp_path / "images" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random_pixels(8, 8 + number, 3)[:, :8]).save(path)
    words = [
        *("model=lenet", "data=image_folder", f"data.root={tmp_path / 'images'}", "data.size=32", "data.batch_size=7"),
        *("data.residency=loader", "data.workers=0", "data.augment.shift=2", "trainer.epochs=2", "trainer.test=none"),
    ]
    assert together(2, counted_rows, configure(*words)) == [4, 3]
    both = together(2, trained, configure(*words), tmp_path / "both")
    assert equal(both[0]["weights"], one(configure(*words), 2, folder=tmp_path / "alone")["weights"])


def left_out(team: Team, config: Config) -> list[str]:
    parts = prepare(with_devices(config, team.size), team=team)
    build_trainer(parts, None).evaluate("val")
    return sorted(Path(path).name for path in parts.dataset.skipped_files())


@pytest.mark.filterwarnings("ignore::dltool.core.notices.DltoolWarning")
def test_every_process_knows_the_files_that_any_left_out(configure: Configure, tmp_path: Path) -> None:
    for number in range(20):
        path = tmp_path / "val" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random_pixels(8, 8, 3)).save(path)
        train = tmp_path / "train" / path.parent.name / path.name
        train.parent.mkdir(parents=True, exist_ok=True)
        train.write_bytes(path.read_bytes())
        if number in (4, 19):  # One for each process.
            path.write_bytes(path.read_bytes()[:60])
    words = ["model=mlp", "data=image_folder", f"data.root={tmp_path}", "data.size=8", "data.eval_batch_size=5"]
    words += ["data.residency=loader", "data.workers=0", "data.corrupt=skip", "data.test_fraction=0"]
    assert together(2, left_out, configure(*words)) == [["19.png", "4.png"]] * 2


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize("case", CASES | MORE_CASES)
def test_more_processes_have_the_bits_of_one(configure: Configure, tmp_path: Path, case: str, size: int) -> None:
    words = (CASES | MORE_CASES)[case]
    both = together(size, trained, configure(*words), tmp_path)
    assert equal(both[0]["weights"], one(configure(*words), size, folder=tmp_path / "alone")["weights"])


@pytest.mark.parametrize("model", ["model=mlp model.hidden=[8,8] model.norm=batch", "model=resnet20"])
def test_batch_norm_over_all_processes_is_that_of_the_whole_batch(
    configure: Configure, tmp_path: Path, model: str
) -> None:
    words = [*model.split(), "data=digits", "data.batch_size=37", "trainer.steps=3", "optim=sgd", "optim.lr=0.05"]
    both = together(2, trained, configure(*words, "trainer.test=none"), tmp_path)
    whole = trained(SOLO, configure(*words, "trainer.test=none"), tmp_path / "alone")
    assert distance(whole["weights"], both[0]["weights"]) < 1e-6  # Running statistics too.
    assert equal(both[0]["weights"], both[1]["weights"])


def test_without_it_each_process_normalizes_its_own_samples(configure: Configure, tmp_path: Path) -> None:
    words = ["model=mlp", "model.norm=batch", "data=digits", *SHORT, "trainer.sync_batch_norm=false"]
    both, alone = together(2, trained, configure(*words), tmp_path), one(configure(*words), 2, folder=tmp_path / "one")
    learned = [name for name in alone["weights"] if name.endswith(("weight", "bias"))]
    assert all(torch.equal(both[0]["weights"][name], alone["weights"][name]) for name in learned)
    assert equal(both[0]["weights"], both[1]["weights"])  # Also the statistics, which are those of rank 0.


@pytest.mark.parametrize("size", [2, 3])
def test_every_sample_is_evaluated_once(configure: Configure, tmp_path: Path, size: int) -> None:
    words = ["model=lenet", "trainer.steps=2", "data.eval_batch_size=50", "task.metrics=[accuracy,f1_macro,auroc]"]
    both, alone = together(size, trained, configure(*words), tmp_path), trained(SOLO, configure(*words), tmp_path / "a")
    one_test, test = alone["test"], both[0]["test"]
    assert [lines["test"] for lines in both] == [test] * size  # Every process decides by the same numbers.
    assert test["test/accuracy"] == pytest.approx(one_test["test/accuracy"], abs=0.01)
    parts = prepare(configure(*words))
    parts.task.model.load_state_dict(both[0]["weights"])
    trainer = build_trainer(parts, RunFolder(tmp_path / "again"))
    again = trainer.evaluate("test")
    for name in ("accuracy", "f1_macro", "auroc"):
        assert again[name] == test[f"test/{name}"]
    assert again["loss"] == pytest.approx(test["test/loss"], rel=1e-6)


def test_a_signal_to_one_stops_all_and_any_number_continues(configure: Configure, tmp_path: Path) -> None:
    words = [
        "model=mlp",
        "model.dropout=0.3",
        "data=iris",
        "data.batch_size=16",
        "trainer.epochs=4",
        "trainer.accumulate=6",
    ]
    whole = together(2, trained, configure(*words), tmp_path / "whole")[0]
    for size, most in ((2, 0.0), (1, 1e-6), (3, 1e-6)):
        folder = tmp_path / str(size)
        stopped = together(2, trained, configure(*words), folder, 10)
        assert stopped[0]["signal"] == stopped[1]["signal"] == (143, 11)  # One step later, together.
        config = configure(*words)
        continued = together(size, trained, config, folder)[0]
        assert distance(whole["weights"], continued["weights"]) <= most
        assert continued["train"] == pytest.approx(whole["train"], rel=1e-6)


def failing(team: Team, config: Config) -> str:
    with pytest.raises(NonFiniteLossError) as error:
        trained(team, config)
    return str(error.value)


def test_a_loss_that_is_not_finite_ends_every_process_before_the_update(configure: Configure) -> None:
    config = configure("model=mlp", "data=iris", "optim=sgd", "optim.lr=1e30")
    first, second = together(2, failing, config)
    assert first == second
    assert "at step 1" in first


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["model=word2vec", "model.sparse=true", "data=corpus", "data.path=a.txt", "optim=sparse_adam"],
            "cannot be divided",
        ),
        (["trainer.accumulate=3"], "cannot be shared equally"),
        (["model=perceptron", "task=rosenblatt", "data=logic"], "cannot be divided"),
        (["trainer.profile_steps=3"], "profiles one process"),
    ],
)
def test_what_several_processes_cannot_do_is_refused(configure: Configure, words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configure(*words, "trainer.devices=2")
    with pytest.raises(ConfigError, match=message):  # torchrun decides the number.
        with_devices(configure(*words), 2)
