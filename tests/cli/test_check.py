"""`dltool check` runs one batch."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from synthetic_images import write_mnist

from dltool.sample_quality.evaluator import SampleQualityEvaluator
from dltool.tasks.supervised import SupervisedTask

Dltool = Callable[..., CompletedProcess[str]]


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the batches that a supervised task evaluates."""
    seen: list[int] = []
    evaluate = SupervisedTask.evaluate

    def counted(self: SupervisedTask, batch: Any) -> Any:
        seen.append(batch.size)
        return evaluate(self, batch)

    monkeypatch.setattr(SupervisedTask, "evaluate", counted)
    return seen


def test_one_batch_of_each_split_is_evaluated(dltool_here: Dltool, sizes: list[int], tmp_path: Path) -> None:
    done = dltool_here("check", "data.eval_batch_size=50", "trainer.device=cpu")
    assert done.returncode == 0, done.stderr
    assert sizes == [50, 50]
    assert "one step   loss 2." in done.stdout
    assert "evaluated  one batch of val: loss 2." in done.stdout
    assert "evaluated  one batch of test: loss 2." in done.stdout
    assert not list(tmp_path.iterdir())


def test_splits_that_there_are_not_are_not_evaluated(dltool_here: Dltool, sizes: list[int]) -> None:
    done = dltool_here("check", "data.val_fraction=0", "trainer.test_views=[hflip]", "trainer.device=cpu")
    assert done.returncode == 0, done.stderr
    assert sizes == [359]
    assert "one batch of val" not in done.stdout


def test_large_models_of_small_images_are_checked_with_few_of_them(
    dltool_here: Dltool, sizes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dltool.data.memory.LARGEST_RESIZED_SET", 2**20)
    write_mnist(tmp_path, 100, 50)
    words = ["model=alexnet", "model.without=[fc6,fc7]", "data=mnist", f"data.root={tmp_path}", "data.batch_size=4"]
    done = dltool_here("check", *words, "trainer.device=cpu", "trainer.threads=1")
    assert done.returncode == 0, done.stderr
    assert sizes == [10, 32]
    assert "28×28 images resized to 227×227 (the model's native size), a batch at a time" in done.stdout
    assert "evaluations take 32 samples at a time" in done.stdout


@pytest.mark.parametrize("metrics", ["[nearest]", "[fd,nearest]", "[class_accuracy,modes]"])
def test_no_samples_are_measured(dltool_here: Dltool, metrics: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SampleQualityEvaluator, "__init__", lambda *_, **__: pytest.fail("samples would be measured"))
    small = ["model=cgan", "data=digits", "trainer.device=cpu"]
    done = dltool_here("check", *small, f"task.metrics={metrics}")
    assert done.returncode == 0, done.stderr
    assert "evaluated  one batch of val: d_loss" in done.stdout
