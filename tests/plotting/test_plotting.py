"""The figures of a run: their numbers are those of its predictions and its weights, and the files can be drawn."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import torch
from PIL import Image
from places import NUMBERS_ONLY

from dltool.diagnostics.store import read_layers, read_weights, weight_files
from dltool.engine.checkpoint import load
from dltool.inference.run import Run
from dltool.plotting.boundary import boundary_view, make_grid, shown_points, unit_maps
from dltool.plotting.runs import loaded
from dltool.plotting.surface import path_of, surface_of
from dltool.runs.folder import RunFolder

Dltool = Callable[..., CompletedProcess[str]]
SHORT = ("diagnostics=default", "trainer.epochs=null", *NUMBERS_ONLY)


@pytest.fixture
def moons(trained_here: Callable[..., Path]) -> Path:
    words = ("model=mlp", "model.hidden=[6,5]", "data=moons", "data.scaling=standardize", "data.num_samples=200")
    return trained_here("moons", *words, *SHORT, "trainer.steps=40")


def test_the_map_is_the_predictions(moons: Path) -> None:
    subject = loaded(moons)
    points = shown_points(subject)
    grid = make_grid(points.places, 21)
    view = boundary_view(subject, grid)
    predicted = Run(RunFolder(moons), checkpoint="last").predict(grid.nodes)
    table = predicted.records()
    expected = np.array([row["probabilities"]["lower"] for row in table]).reshape(21, 21)
    np.testing.assert_allclose(view.values, expected, atol=1e-6)
    assert view.extent[0] < points.places[:, 0].min() < points.places[:, 0].max() < view.extent[1]


def test_the_points_are_in_the_units_of_the_data(moons: Path) -> None:
    points = shown_points(loaded(moons))
    upper = points.places[points.targets == 0]
    np.testing.assert_allclose(np.linalg.norm(upper, axis=1), 1, atol=0.5)  # A half circle of radius 1, with noise.
    assert list(points.names) == ["x", "y"]


def test_each_unit_is_drawn(moons: Path) -> None:
    subject = loaded(moons)
    grid = make_grid(shown_points(subject).places, 15)
    first, second = unit_maps(subject, grid)
    assert (first.num_units, second.num_units) == (6, 5)
    inputs = subject.inputs(grid.nodes)
    hidden = subject.task.model.layers[0](inputs).relu().detach()
    np.testing.assert_allclose(first.maps[3], hidden[:, 3].reshape(15, 15), atol=1e-6)


def test_kept_weights_are_those_of_the_training(moons: Path) -> None:
    files = dict(weight_files(moons / "diagnostics"))
    assert {0, 1, 2, 4, 8, 16, 32, 40} <= files.keys()
    last = load(next((moons / "checkpoints").glob("step-000040"))).weights
    kept = read_weights(files[40])
    assert all(torch.equal(kept[name], tensor) for name, tensor in last.items())


def test_the_measured_steps(moons: Path) -> None:
    records = read_layers(moons / "diagnostics")
    assert [record["step"] for record in records] == [0, 1, 2, 4, 8, 16, 32]
    assert list(records[0]["layers"]) == ["layers.0", "layers.2", "layers.4"]
    assert len(records[0]["predicted"]) == 3
    assert all(0 < numbers["update"] < 1 for numbers in records[0]["layers"].values())


def test_figures_of_a_run_and_what_it_lacks(moons: Path, dltool_here: Dltool, recwarn: pytest.WarningsRecorder) -> None:
    listed = dltool_here("plot", str(moons), "--figure", "list")
    assert "its model does not consist of two numbers" in listed.stdout
    done = dltool_here("plot", str(moons), "--grid", "30")
    assert done.returncode == 0, done.stderr
    names = [Path(line).name for line in done.stdout.split()]
    assert names == [
        "layers.png",
        "layer_norms.png",
        "boundary.png",
        "boundary_film.gif",
        "functions.png",
        "weights.png",
    ]
    assert all(Path(line).stat().st_size > 5000 for line in done.stdout.split())
    with Image.open(moons / "plots" / "boundary_film.gif") as film:
        assert film.n_frames == len(weight_files(moons / "diagnostics"))
    refused = dltool_here("plot", str(moons), "--figure", "surface")
    assert (refused.returncode, "two numbers" in refused.stderr) == (2, True)
    unknown = dltool_here("plot", str(moons), "--figure", "boundry")
    assert unknown.returncode == 2
    assert not recwarn.list


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("model=mlp", "model.hidden=[8]", "data=spirals", "data.num_samples=90"), "classes"),
        (("model=perceptron", "data=logic", "data.batch_size=1"), "labels"),
    ],
)
def test_other_kinds_of_predictions(words: tuple[str, ...], kind: str, dltool_here: Dltool) -> None:
    done = dltool_here("train", *words, *SHORT, "trainer.steps=12", "run.dir=run")
    assert done.returncode == 0, done.stderr
    assert dltool_here("plot", "run", "--figure", "boundary").returncode == 0
    assert {"boundary.png", "boundary_film.gif"} <= {path.name for path in Path("run/plots").iterdir()}
    subject = loaded(Path("run").resolve())
    view = boundary_view(subject, make_grid(shown_points(subject).places, 41))
    assert view.kind == kind
    if kind == "labels":  # The line of a perceptron is w·x + b = 0.
        linear = subject.task.model.linear
        nodes = make_grid(shown_points(subject).places, 41).nodes
        side = nodes @ linear.weight[0].detach().double().numpy() + linear.bias.item() > 0
        assert (view.values.ravel() == side).mean() > 0.999


def test_paths_of_a_sweep_on_one_surface(dltool_here: Dltool, dltool: Dltool) -> None:
    words = ("model=linear", "data=line", "data.mean=3", "data.num_samples=200", "schedule=constant", "optim.lr=0.02")
    done = dltool("train", "-m", *words, *SHORT, "trainer.steps=30", "optim=sgd,momentum", "sweep.dir=sweep")
    assert done.returncode == 0, done.stderr
    assert "plots/surface.png" in done.stdout
    runs = sorted(Path("sweep").glob("*/config.yaml"))
    subjects = [loaded(path.parent.resolve()) for path in runs]
    surface = surface_of(subjects[0])
    for subject, path in zip(subjects, runs, strict=True):
        weights = load(next((path.parent / "checkpoints").glob("step-000030"))).weights
        last = path_of(subject).places[-1]
        assert last.tolist() == [weights["linear.weight"].item(), weights["linear.bias"].item()]
    x, y = 3.0, 0.5
    assert surface(np.array([x, y])) > surface(surface.minimum) > 0
    differing = dltool_here("plot", "sweep", str(runs[0].parent), "--figure", "boundary")
    assert differing.returncode == 2
