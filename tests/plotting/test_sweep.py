"""The figure of a sweep: its numbers are those of the runs, and it says which runs it needs."""

import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from torch import nn

from dltool.figures.sweep import SweepPanel, SweepSeries, sweep_picture
from dltool.plotting.runs import load_subjects
from dltool.plotting.subject import Subject, shared_note
from dltool.plotting.sweep import (
    error_panel,
    grouped,
    has_dropout,
    held_out_predictions,
    metric_panels,
    noise_panel,
    size_panel,
    swept_keys,
)
from dltool.runs.catalog import RunRecord, read_run

Dltool = Callable[..., CompletedProcess[str]]
SHORT = ("model=mlp", "model.hidden=[4]", "trainer.epochs=null", "trainer.threads=1", "logger.plots=false")


def runs_of(folder: str) -> tuple[list[RunRecord], list[Subject]]:
    records = [read_run(path.parent) for path in sorted(Path(folder).glob("*/config.yaml"))]
    return records, load_subjects(records)


def values_of(panels: Sequence[SweepPanel], label: str) -> list[list[float]]:
    (series,) = [one for panel in panels for one in panel.series if one.label == label]
    return [list(values) for values in series.values]


@pytest.fixture
def regression(dltool_here: Dltool) -> Path:
    words = ("data=diabetes", "diagnostics=default", "trainer.steps=20", "trainer.test=last", "sweep.dir=sweep")
    done = dltool_here("train", "-m", *SHORT, *words, "task.l2=1,0,0.01", "seed=0,1")
    assert done.returncode == 0, done.stderr
    assert "sweep/plots/sweep.png" in done.stdout
    return Path("sweep")


def test_the_points_are_the_metrics_of_the_runs(regression: Path) -> None:
    records, subjects = runs_of("sweep")
    assert swept_keys(records) == ["task.l2"]
    groups = grouped(subjects, records, "task.l2")
    assert [(value, len(group)) for value, group in groups.items()] == [(0.0, 2), (0.01, 2), (1.0, 2)]
    expected = [
        [record.metrics["test/loss"] for record in records if record.config["task.l2"] == value] for value in groups
    ]
    assert values_of(metric_panels(groups, records, subjects), "test/loss") == expected
    assert shared_note(subjects) == "adam lr=0.001, batch 64, step 20"


def test_bias_and_variance_are_those_of_the_predictions(regression: Path) -> None:
    records, subjects = runs_of("sweep")
    for record, subject in zip(records, subjects, strict=True):
        predictions, targets = held_out_predictions(subject)
        assert np.abs(predictions - targets).mean() == pytest.approx(record.metrics["test/mae"], rel=1e-5)
    panels = error_panel(grouped(subjects, records, "task.l2"))
    errors, biases, variances = (np.array(one.values)[:, 0] for one in panels[0].series)
    np.testing.assert_allclose(biases + variances, errors, rtol=1e-12)


def test_figures_of_runs_that_differ_otherwise(regression: Path, dltool_here: Dltool) -> None:
    first = str(next(regression.glob("*/config.yaml")).parent)
    assert "several runs that differ in one key" in dltool_here("plot", first, "--figure", "list").stdout
    seeds = [
        str(path.parent) for path in regression.glob("*/config.yaml") if read_run(path.parent).config["task.l2"] == 1
    ]
    assert "a key other than the seed" in dltool_here("plot", *seeds, "--figure", "list").stdout
    done = dltool_here(
        "train", "-m", *SHORT, "data=iris", "trainer.steps=2", "optim=sgd,adam", "optim.lr=1,2", "sweep.dir=two"
    )
    assert done.returncode == 0, done.stderr
    refused = dltool_here("plot", "two", "--figure", "sweep")
    assert refused.returncode == 2
    assert "runs that differ in one key and the seed, and these differ in optim, optim.lr" in refused.stderr


def test_names_and_noise(dltool_here: Dltool) -> None:
    words = ("data=iris", "diagnostics=full", "trainer.steps=5", "sweep.dir=sweep")
    done = dltool_here("train", "-m", *SHORT, *words, "model.activation=relu,tanh")
    assert done.returncode == 0, done.stderr
    records, subjects = runs_of("sweep")
    groups = grouped(subjects, records, "model.activation")
    assert list(groups) == ["relu", "tanh"]
    assert error_panel(groups) == []
    found = values_of(noise_panel(groups, "model.activation"), "tr Σ / ‖G‖²")
    for values, record in zip(found, records, strict=True):
        lines = (record.path / "diagnostics" / "layers.jsonl").read_text().splitlines()[-3:]
        trace, norm = (
            statistics.fmean(json.loads(line)["noise"][name] for line in lines) for name in ("trace", "square_norm")
        )
        assert values == pytest.approx([trace / norm])
    assert dltool_here("plot", "sweep", "--figure", "sweep", "--format", "svg", "--output", "figures").returncode == 0
    assert "relu" in Path("figures/sweep.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("values", "scale", "names"),
    [
        ([8, 32, 512], "log", ["8", "32", "512"]),
        ([0, 0.01, 1], "linear", ["0", "0.01", "1"]),
        ([1, 2, 3], "linear", ["1", "2", "3"]),
        (["sgd", "adam"], "linear", ["sgd", "adam"]),
    ],
)
def test_the_axis_of_the_key(values: list[object], scale: str, names: list[str]) -> None:
    series = SweepSeries("loss", [[1.0, float("nan")], *[[2.0]] * (len(values) - 1)])
    nothing = SweepSeries("loss", [[float("inf")]] * len(values))
    figure = sweep_picture("key", values, [SweepPanel("loss", "loss", [series]), SweepPanel("loss", "loss", [nothing])])
    figure.canvas.draw()
    axes, empty = figure.axes
    assert axes.get_xscale() == scale
    assert [label.get_text() for label in axes.get_xticklabels()] == names
    assert axes.lines[0].get_ydata().tolist() == [1.0, *[2.0] * (len(values) - 1)]
    assert "no finite value" in [text.get_text() for text in empty.texts]


def test_the_size_of_the_model_is_drawn_where_the_key_changes_it() -> None:
    sizes: dict[object, list[Any]] = {
        name: [SimpleNamespace(task=SimpleNamespace(model=nn.Linear(width, 3)))]
        for name, width in {"narrow": 1, "wide": 4}.items()
    }
    assert values_of(size_panel(sizes), "parameters") == [[6.0], [15.0]]
    assert size_panel({"narrow": sizes["narrow"], "seed": sizes["narrow"]}) == []


def test_a_sweep_with_dropout_says_how_training_values_are_measured(dltool_here: Dltool) -> None:
    words = ("data=iris", "diagnostics=default", "trainer.steps=2", "sweep.dir=sweep", "model.dropout=0,0.5")
    done = dltool_here("train", "-m", *SHORT, *words)
    assert done.returncode == 0, done.stderr
    _, subjects = runs_of("sweep")
    assert [has_dropout(subject) for subject in subjects] == [False, True]
    done = dltool_here("plot", "sweep", "--figure", "sweep", "--format", "svg", "--output", "figures")
    assert done.returncode == 0, done.stderr
    assert "training values are with dropout" in Path("figures/sweep.svg").read_text(encoding="utf-8")
