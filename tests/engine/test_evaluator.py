"""Several processes evaluate the batches of a split in shares."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from synthetic_images import random_pixels

from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.core.batch import Batch
from dltool.observers.trivial import TrivialComparison
from dltool.tasks.supervised import SupervisedTask

Configure = Callable[..., Config]


@pytest.mark.parametrize(
    "words",
    [
        ["data=iris", "model=mlp", "data.eval_batch_size=4"],
        ["data=reversal", "model=transformer", "data.eval_batch_size=40"],
        ["data=pydoc", "model=gpt", "data.eval_batch_size=99"],
        ["data=iris", "model=mlp", "data.eval_batch_size=4", "trainer.limit_batches=2"],
    ],
)
@pytest.mark.parametrize("size", [2, 3])
def test_the_shares_of_all_processes_are_the_batches_of_the_split(
    configure: Configure, words: list[str], size: int
) -> None:
    dataset = prepare(configure(*words)).dataset
    whole = list(dataset.evaluation("val"))
    shares = [list(dataset.evaluation_share("val", rank, size)) for rank in range(size)]
    assert len(whole) > 1
    check_shares(whole, shares)


def check_shares(whole: list[Batch], shares: list[list[Batch | None]]) -> None:
    for number, (batch, *own) in enumerate(zip(whole, *shares, strict=True)):
        chosen = own.pop(number % len(shares))
        assert own == [None] * len(own)
        assert chosen is not None
        assert torch.equal(chosen.inputs, batch.inputs)
        assert torch.equal(chosen.targets, batch.targets)


def test_a_share_decodes_only_its_own_files(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        path = tmp_path / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(random_pixels(1, 8 + number, 3)[0]).save(path)
    words = ["model=mlp", "data=image_folder", f"data.root={tmp_path}", "data.size=8", "data.eval_batch_size=3"]
    dataset = prepare(configure(*words, "data.residency=loader", "data.workers=0", "data.val_fraction=0.4")).dataset
    whole = list(dataset.evaluation("val"))
    check_shares(whole, [list(dataset.evaluation_share("val", rank, 2)) for rank in range(2)])
    opened: list[str] = []
    plain = Image.open
    monkeypatch.setattr(Image, "open", lambda path, *more: opened.append(str(path)) or plain(path, *more))
    own = sum(batch.size for batch in dataset.evaluation_share("val", 1, 2) if batch is not None)
    assert len(opened) == own < sum(batch.size for batch in whole)


def test_only_the_split_that_is_watched_is_not_shared(configure: Configure) -> None:
    parts = prepare(configure("model=mlp", "data=iris"))
    task = parts.task
    assert isinstance(task, SupervisedTask)
    task.watchers.append(TrivialComparison(print, parts.dataset))
    adds_up = {}
    for task.split in ("val", "test"):
        adds_up[task.split] = task.evaluation_adds_up
    assert adds_up == {"val": True, "test": False}
