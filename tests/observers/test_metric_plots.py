"""The pictures of the test split, and the words for a metric without a value."""

import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from watching import watch

from dltool.build.metrics import with_metrics
from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.engine.evaluator import evaluate
from dltool.engine.observer import Progress
from dltool.losses.cross_entropy import CrossEntropy
from dltool.models.linear import Linear
from dltool.observers.metric_plots import MetricPlots
from dltool.observers.undefined import UndefinedMetrics
from dltool.tasks.supervised import SupervisedTask

SPEC = DataSpec((3,), "classes", ("a", "b", "c"), output_dim=3)
TEST = {"step": 5, "epoch": 1, "split": "test", "test/loss": 1.0}


def evaluated(*metrics: str, labels: tuple[int, ...] = (0, 1, 2, 2)) -> SupervisedTask:
    """A task after an evaluation of three samples of every class and its name."""
    task = with_metrics(SupervisedTask(Linear(SPEC), CrossEntropy(SPEC), SPEC, metrics=list(metrics)), SPEC)
    evaluate(task, [Batch(torch.randn(len(labels), 3), torch.tensor(labels), len(labels))])
    return task


def test_draws_what_was_asked_for_of_the_test_split_alone(tmp_path: Path) -> None:
    plots = MetricPlots(watch(tmp_path, SPEC, "linear", "abc"))
    plots.on_start(evaluated("accuracy", "confusion"), Progress())
    plots.on_record({**TEST, "split": "val"})
    assert not (tmp_path / "plots").exists()
    plots.on_record(TEST)
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["confusion.png"]
    plots.on_start(evaluated("calibration_error"), Progress())
    plots.on_record(TEST)
    assert (tmp_path / "plots" / "reliability.png").stat().st_size > 5000


def test_a_picture_that_cannot_be_drawn_warns(tmp_path: Path) -> None:
    (tmp_path / "plots").write_text("a file where the folder would be")
    plots = MetricPlots(watch(tmp_path, SPEC))
    plots.on_start(evaluated("confusion"), Progress())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plots.on_record(TEST)
    assert "plots/confusion.png could not be drawn" in str(caught[0].message)


def test_a_metric_without_a_value_is_explained_once_a_split() -> None:
    said: list[str] = []
    notes = UndefinedMetrics(said.append)
    notes.on_start(evaluated("auroc", labels=(0, 1)), Progress())
    for split in ("step", "train", "val", "val", "test"):
        notes.on_record({**TEST, "split": split})
    reason = "is not defined at step 5: the split has no sample of c"
    assert said == [f"val/auroc {reason}", f"test/auroc {reason}"]


def test_a_run_draws_and_follows_its_metrics(dltool_here: Callable, tmp_path: Path) -> None:
    metrics = "task.metrics=[f1_macro,auroc,confusion,calibration_error]"
    following = ["trainer.checkpoint.metric=val/f1_macro", "trainer.test=best", "stop.metric=val/auroc"]
    plateau = ["schedule=plateau", "schedule.metric=val/calibration_error", "stop.target=1.1", "data.eval_batch_size=7"]
    done = dltool_here(
        *("train", "data=iris", "model=mlp", "trainer.epochs=2", "run.dir=run", metrics, *following, *plateau)
    )
    assert done.returncode == 0, done.stderr
    drawn = {path.name for path in Path("run/plots").iterdir()}
    assert drawn == {"curves.png", "confusion.png", "reliability.png", "network.png"}
    assert "val/f1_macro" in done.stdout
    done = dltool_here("train", "data=iris", "model=mlp", "task.metrics=[accuracy,rmse]")
    assert done.returncode == 2
    assert "rmse: does not fit targets that are classes" in done.stderr
    done = dltool_here("train", "data=iris", "model=mlp", "loss=hinge", "task.metrics=[calibration_error]")
    assert done.returncode == 2
    assert "calibration_error needs probabilities" in done.stderr
