"""Planes through the weights: the centre is the evaluated loss, and equal functions have equal slices."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import torch
from places import NUMBERS_ONLY

from dltool.diagnostics.weight_planes import path_plane, random_direction
from dltool.plotting.plane import path_slice, random_slice, training_batches
from dltool.plotting.runs import loaded

Dltool = Callable[..., CompletedProcess[str]]


def test_filters_keep_their_norms() -> None:
    weights = {"conv": torch.randn(4, 3, 5, 5), "bias": torch.randn(4), "linear": torch.randn(6, 10)}
    direction = random_direction(weights, torch.Generator().manual_seed(0))
    for name in ("conv", "linear"):
        torch.testing.assert_close(direction[name].flatten(1).norm(dim=1), weights[name].flatten(1).norm(dim=1))
    assert not direction["bias"].any()


def test_the_plane_of_a_path_in_a_plane() -> None:
    first, second = torch.linalg.qr(torch.randn(30, 2, dtype=torch.float64)).Q.T
    places = torch.tensor([[5.0, 1.0], [3.0, -1.0], [1.0, 0.5], [0.0, 0.0]], dtype=torch.float64)
    centre = torch.randn(30, dtype=torch.float64)
    path = [{"w": (centre + a * first + b * second).view(5, 6)} for a, b in places]
    plane = path_plane(path)
    assert sum(plane.shares) == pytest.approx(1, abs=1e-12)
    assert plane.distances.max() < 1e-10
    torch.testing.assert_close(plane.places.norm(dim=1), places.norm(dim=1))
    found = path[-1]["w"] + sum(
        place * direction["w"] for place, direction in zip(plane.places[1], plane.directions, strict=True)
    )
    torch.testing.assert_close(found, path[1]["w"])


def test_slices_of_a_run(dltool_here: Dltool) -> None:
    words = ("model=mlp", "model.hidden=[8,8]", "data=iris", "diagnostics=default", "trainer.epochs=null")
    assert dltool_here("train", *words, "trainer.steps=40", *NUMBERS_ONLY, "run.dir=run").returncode == 0
    measured = dltool_here("evaluate", "run", "--split", "train", "--checkpoint", "last", "--json")
    expected = json.loads(measured.stdout)["metrics"]["loss"]
    subject = loaded(Path("run").resolve())
    batches = training_batches(subject)
    state = {name: tensor.clone() for name, tensor in subject.task.model.state_dict().items()}
    around = random_slice(subject, batches, 5)
    assert around.values[2, 2] == pytest.approx(expected, rel=1e-6)
    along = path_slice(subject, batches, 5)
    assert along.true is not None
    assert along.path is not None
    assert along.true[-1] == pytest.approx(expected, rel=1e-6)
    assert along.true[0] > along.true[-1]
    np.testing.assert_allclose(along.path[-1], 0, atol=1e-12)
    assert all(torch.equal(state[name], tensor) for name, tensor in subject.task.model.state_dict().items())

    layers = subject.task.model.layers  # ReLU is homogeneous: the network computes the same.
    with torch.no_grad():
        layers[0].weight.mul_(4)
        layers[0].bias.mul_(4)
        layers[2].weight.div_(4)
    np.testing.assert_allclose(random_slice(subject, batches, 5).values, around.values, rtol=1e-5)

    drawn = dltool_here("plot", "run", "--figure", "plane", "--grid", "5")
    assert drawn.returncode == 0, drawn.stderr
    assert Path("run/plots/plane.png").exists()
