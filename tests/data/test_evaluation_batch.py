"""data.eval_batch_size=auto."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import torch
from synthetic_images import write_mnist

from dltool.build.parts import describe
from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.data.builtin import digits, iris
from dltool.data.digit_pairs import DigitDomains
from dltool.data.evaluation_batch import fitting_batch
from dltool.data.image_data import ImageData
from dltool.data.table_data import TableData
from dltool.inference.run import Run
from dltool.runs.folder import RunFolder

CPU = torch.device("cpu")
MB = 2**20
ALEXNET = ("model=alexnet", "model.without=[fc6,fc7]", "data=mnist")


@pytest.mark.parametrize(
    ("sample_bytes", "shape", "size"),
    [
        (MB // 2, (3, 32, 32), 512),
        (MB // 2 + 1, (3, 32, 32), 256),
        (100, (7,), 512),
        (5 * MB, (1, 227, 227), 32),
        (7 * MB, (3, 224, 224), 32),
        (25 * MB, (3, 224, 224), 8),
        (300 * MB, (3, 1024, 1024), 1),
        (0, (7,), 512),
        (None, (1, 28, 28), 512),
        (None, (3, 32, 32), 512),
        (None, (3, 48, 48), 128),
        (None, (3, 64, 64), 128),
        (None, (3, 224, 224), 16),
        (None, (50_000,), 512),
        (None, (28, 28), 512),
    ],
)
def test_the_rule(sample_bytes: int | None, shape: tuple[int, ...], size: int) -> None:
    assert fitting_batch(sample_bytes, shape) == size


def test_it_is_chosen_once_the_model_is_known() -> None:
    data = TableData(iris)
    data.prepare(0, CPU)
    assert data.eval_batch_size == 512
    assert "data.eval_batch_size" not in data.choices
    data.fit_eval_batch(lambda: 2 * 2**20)
    assert data.eval_batch_size == data.choices["data.eval_batch_size"] == 128
    assert data.notes == ["evaluations take 128 samples at a time (2 MB per sample; data.eval_batch_size)"]
    assert [batch.size for batch in TableData.evaluation(data, "train")] == [105]


def test_an_explicit_size_stays() -> None:
    data = ImageData(digits, eval_batch_size=100)
    data.prepare(0, CPU)
    data.fit_eval_batch(lambda: pytest.fail("nothing is to be measured"))
    assert [batch.size for batch in data.evaluation("test")] == [100, 100, 100, 59]
    assert "data.eval_batch_size" not in data.choices


def test_both_domains_take_it() -> None:
    data = DigitDomains(digits)
    data.prepare(0, CPU)
    data.fit_eval_batch(lambda: 4 * 2**20)
    assert data.choices["data.eval_batch_size"] == 64
    assert max(batch.size for batch in data.evaluation("train")) == 64


@pytest.mark.parametrize("model", ["mlp", "cnn", "lenet"])
def test_small_images_come_in_the_batches_that_they_always_came_in(
    model: str, configure: Callable[..., Config]
) -> None:
    parts = prepare(configure(f"model={model}", "data=digits"))
    assert parts.auto["data.eval_batch_size"] == 512
    assert not any("eval_batch_size" in note for note in describe(parts))


def test_it_is_said_saved_and_used_again(dltool_here: Callable[..., CompletedProcess[str]], tmp_path: Path) -> None:
    write_mnist(tmp_path / "data", 60, 40)
    short = ["data.batch_size=4", "trainer.steps=1", "trainer.threads=1", "trainer.device=cpu", "logger.plots=false"]
    done = dltool_here("train", *ALEXNET, "data.root=data", *short, "run.dir=run")
    assert done.returncode == 0, done.stderr
    assert (
        "evaluations take 32 samples at a time (4.63 MB per sample; data.eval_batch_size)" in done.stdout + done.stderr
    )
    path = tmp_path / "run" / "environment.json"
    environment = json.loads(path.read_text())
    assert environment["auto"]["data.eval_batch_size"] == 32
    assert "eval_batch_size: auto" in (tmp_path / "run" / "config.yaml").read_text()
    environment["auto"]["data.eval_batch_size"] = 16
    path.write_text(json.dumps(environment))
    sizes = batches_seen(Run(RunFolder(tmp_path / "run")))
    assert sizes == [16, 16, 8]
    again = dltool_here("train", "--from", "run", "run.dir=again")
    assert again.returncode == 0, again.stderr
    assert "evaluations take" not in again.stdout + again.stderr
    given = dltool_here("train", "--from", "run", "data.eval_batch_size=auto", "run.dir=given")
    assert "evaluations take 32" in given.stdout + given.stderr


def batches_seen(run: Run) -> list[int]:
    """The sizes of the batches in which a run's test split is evaluated."""
    sizes: list[int] = []
    handle = run.model.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    run.evaluate()
    handle.remove()
    return sizes


def test_predictions_are_made_in_such_batches(
    dltool_here: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    done = dltool_here("train", "model=lenet", "data=digits", "trainer.steps=1", "run.dir=run", "logger.plots=false")
    assert done.returncode == 0, done.stderr
    run = Run(RunFolder(tmp_path / "run"))
    assert run.batch_size == 512
    run.batch_size = 3
    images = torch.randint(256, (7, 1, 8, 8), dtype=torch.uint8)
    sizes: list[int] = []
    run.model.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    said = run.predict(images).values
    assert sizes == [3, 3, 1]
    run.batch_size = 512
    assert run.predict(images).values == said
