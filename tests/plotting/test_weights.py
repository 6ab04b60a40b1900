"""The histograms are numpy's of the weights at the end, and the gradients of several runs those of their records."""

import math
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from places import NUMBERS_ONLY

from dltool.diagnostics.store import read_layers
from dltool.engine.checkpoint import load
from dltool.figures.compared_layers import compared_layers, relative_deltas
from dltool.plotting.figure import Options
from dltool.plotting.layers import LayersFigure
from dltool.plotting.runs import loaded, missing
from dltool.plotting.subject import shared_title
from dltool.plotting.weights import WeightsFigure, panels_of, weights_of_run

Dltool = Callable[..., CompletedProcess[str]]
SHORT = ("model=mlp", "model.hidden=[6]", "trainer.epochs=null", *NUMBERS_ONLY, "diagnostics=default")


def test_the_counts_are_those_of_the_weights_at_the_end(dltool_here: Dltool) -> None:
    words = ("data=iris", "trainer.steps=8", "optim=sgd", "optim.lr=0.1", "schedule=constant", "task.l2=0")
    done = dltool_here("train", "-m", *SHORT, *words, "task.l1=0,1", "sweep.dir=sweep")
    assert done.returncode == 0, done.stderr
    assert "sweep/plots/weights.png" in done.stdout
    folders = [path.parent.resolve() for path in sorted(Path("sweep").glob("*/config.yaml"))]
    panels = panels_of({folder.name: weights_of_run(loaded(folder)) for folder in folders})
    assert [panel.title for panel in panels] == ["all weights", "layers.0.weight", "layers.2.weight"]
    for place, folder in enumerate(folders):
        weights = load(next((folder / "checkpoints").glob("step-000008"))).weights
        matrices = {name: tensor.numpy() for name, tensor in weights.items() if name.endswith("weight")}
        everything = np.concatenate([matrix.ravel() for matrix in matrices.values()])
        for panel, values in zip(panels, [everything, *matrices.values()], strict=True):
            found = panel.histograms[place]
            assert found.counts.tolist() == np.histogram(values, panel.edges)[0].tolist()
            assert found.counts.sum() == values.size
            assert found.small == (np.abs(values) < 1e-3).mean()
    without, penalized = panels[0].histograms
    assert penalized.counts[30] > without.counts[30]  # L1 moves weights to the bin around 0.


def test_weights_that_are_not_finite_or_all_zero() -> None:
    (panel,) = panels_of({"": {"w": np.array([0.0, math.nan, math.inf])}})
    assert (panel.histograms[0].counts.sum(), panel.histograms[0].small) == (1, 1.0)
    (panel,) = panels_of({"": {"w": np.array([math.nan])}})
    assert (panel.histograms[0].counts.sum(), panel.histograms[0].small) == (0, 0.0)


def test_the_gradients_of_several_runs(dltool_here: Dltool) -> None:
    words = ("data=digits", "trainer.steps=2", "model.depth=3", "model.activation=sigmoid,relu")
    done = dltool_here("train", "-m", *SHORT, *words, "sweep.dir=sweep")
    assert done.returncode == 0, done.stderr
    assert "sweep/plots/layer_norms.png" in done.stdout
    runs = {path.parent.name: read_layers(path.parent / "diagnostics") for path in Path("sweep").glob("*/config.yaml")}
    figure = compared_layers(runs, "mlp on digits", "adam")
    assert len(figure.axes) == 4
    for (ratios, spreads), place in zip((figure.axes[::2], figure.axes[1::2]), (0, -1), strict=True):
        assert len(ratios.lines) == len(spreads.lines) == 2
        for first, second, records in zip(ratios.lines, spreads.lines, runs.values(), strict=True):
            layers = records[place]["layers"].values()
            deltas = [layer["delta"] for layer in layers]
            assert first.get_ydata().tolist() == [delta / deltas[-1] for delta in deltas]
            assert second.get_ydata().tolist() == [layer["spread"] for layer in layers]


@pytest.mark.parametrize(("deltas", "ratios"), [([1.0, 0.0, 2.0], [0.5, math.nan, 1.0]), ([1.0, 0.0], [math.nan] * 2)])
def test_a_layer_without_gradient(deltas: list[float], ratios: list[float]) -> None:
    record = {"layers": {str(number): {"delta": delta} for number, delta in enumerate(deltas)}}
    np.testing.assert_array_equal(relative_deltas(record), ratios)


def test_more_runs_than_can_be_distinguished(dltool_here: Dltool) -> None:
    done = dltool_here("train", *SHORT, "data=iris", "trainer.steps=1", "run.dir=run")
    assert done.returncode == 0, done.stderr
    subject = loaded(Path("run").resolve())
    assert missing(WeightsFigure(), [subject] * 16) is None
    assert missing(WeightsFigure(), [subject] * 17) == "it shows at most 16 runs, and these are 17"


def test_runs_of_several_models_and_of_one_layer(dltool_here: Dltool) -> None:
    words = ("diagnostics=default", "trainer.epochs=null", "trainer.steps=1", "trainer.threads=1", "data=iris")
    done = dltool_here("train", "-m", *words, "model=mlp,logistic", "logger.plots=false", "sweep.dir=sweep")
    assert done.returncode == 0, done.stderr
    subjects = [loaded(path.parent.resolve()) for path in sorted(Path("sweep").glob("*/config.yaml"))]
    assert shared_title(subjects) == "mlp, logistic on iris"
    assert shared_title(subjects[:1] * 2) == "mlp on iris"
    assert missing(LayersFigure(), subjects[:1] * 2) is None
    assert "networks of one" in str(missing(LayersFigure(), subjects))
    assert list(LayersFigure().drawings(subjects[1:], Options())) == ["layers"]
