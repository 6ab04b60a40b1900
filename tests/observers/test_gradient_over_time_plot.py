"""The picture of the vanishing gradient, and when it is drawn."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from watching import watch

from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.engine.observer import Progress
from dltool.losses.cross_entropy import CrossEntropy
from dltool.models.mlp import MLP
from dltool.models.recurrent import RNN
from dltool.observers.gradient_over_time_plot import GradientOverTimePlot
from dltool.tasks.supervised import SupervisedTask

SPEC = DataSpec((12, 3), class_names=("a", "b"), output_dim=2)


def batch(_least: int = 1) -> Batch:
    return Batch(torch.randn(8, 12, 3, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 2, 8)


def observe(model: torch.nn.Module, folder: Path, step: int = 0) -> GradientOverTimePlot:
    plot = GradientOverTimePlot(watch(folder, SPEC, "rnn", "rows", batch))
    plot.on_start(SupervisedTask(model, CrossEntropy(SPEC), SPEC), Progress(step=step))
    plot.on_end()
    return plot


def test_draws_before_and_after(tmp_path: Path) -> None:
    plot = observe(RNN(SPEC, hidden_dim=4), tmp_path)
    assert list(plot._curves) == ["before the training", "after it"]
    picture = Image.open(tmp_path / "plots" / "gradient_over_time.png")
    assert picture.size == (864, 552)


def test_a_resumed_training_does_not_know_what_was_before(tmp_path: Path) -> None:
    assert list(observe(RNN(SPEC, hidden_dim=4), tmp_path, step=7)._curves) == ["after it"]


def test_what_is_not_recurrent_has_no_such_picture(tmp_path: Path) -> None:
    observe(MLP(SPEC), tmp_path)
    assert not (tmp_path / "plots").exists()


def test_what_cannot_be_measured_ends_no_run(tmp_path: Path) -> None:
    def broken(_least: int) -> Batch:
        return batch()._replace(targets=torch.tensor([5] * 8))

    plot = GradientOverTimePlot(watch(tmp_path, SPEC, "rnn", "rows", broken))
    with pytest.warns(UserWarning, match="could not be drawn"):
        plot.on_start(SupervisedTask(RNN(SPEC, hidden_dim=4), CrossEntropy(SPEC), SPEC), Progress())
