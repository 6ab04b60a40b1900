"""Activations and losses of a run: curves equal closed forms and autograd, histograms the run's own values."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from places import NUMBERS_ONLY

from dltool.diagnostics.probe import LayerCall
from dltool.plotting.functions import activated_calls, activation_views, curve, loss_view, margins, training_batch
from dltool.plotting.runs import loaded
from dltool.plotting.subject import Subject

Dltool = Callable[..., CompletedProcess[str]]
SHORT = ("diagnostics=default", *NUMBERS_ONLY, "trainer.epochs=null", "trainer.steps=3", "run.dir=run")


def trained(dltool_here: Dltool, *words: str) -> Subject:
    assert dltool_here("train", *words, *SHORT).returncode == 0
    done = dltool_here("plot", "run", "--figure", "functions")
    assert done.returncode == 0, done.stderr
    assert "could not be drawn" not in done.stderr
    assert Path("run/plots/functions.png").exists()
    return loaded(Path("run").resolve())


@pytest.mark.parametrize(("function", "slope"), [
    (torch.sigmoid, lambda z: torch.sigmoid(z) * (1 - torch.sigmoid(z))),
    (torch.tanh, lambda z: 1 - torch.tanh(z) ** 2),
    (F.silu, lambda z: torch.sigmoid(z) * (1 + z * (1 - torch.sigmoid(z)))),
    (F.relu, lambda z: (z > 0).float()),
])  # fmt: skip
def test_slopes(function: Callable[..., torch.Tensor], slope: Callable[..., torch.Tensor]) -> None:
    nodes = torch.linspace(-6, 6, 100)
    call = LayerCall("layer", torch.nn.Identity(), nodes, activation=function)
    g, found = curve(call, nodes)
    np.testing.assert_array_equal(g, function(nodes))
    np.testing.assert_allclose(found, slope(nodes), atol=1e-6)


def test_histograms_are_of_the_runs_z(dltool_here: Dltool) -> None:
    subject = trained(dltool_here, "model=mlp", "model.hidden=[6,5]", "model.activation=tanh", "data=digits")
    batch = training_batch(subject)
    (view,) = activation_views(activated_calls(subject, batch))
    layers = subject.task.model.layers
    first = layers[0](batch.inputs.flatten(1))
    second = layers[2](first.tanh())
    expected = torch.cat([first.flatten(), second.flatten()]).detach().numpy()
    assert view.name == "Tanh"
    np.testing.assert_allclose(np.sort(view.values), np.sort(expected), atol=1e-5)
    assert view.flat == pytest.approx((1 - np.tanh(expected) ** 2 < 0.01).mean(), abs=1e-3)


@pytest.mark.parametrize(("loss", "formula"), [
    ("mse", lambda r: r**2),
    ("mae", abs),
    ("huber", lambda r: np.where(abs(r) <= 1, r**2 / 2, abs(r) - 0.5)),
])  # fmt: skip
def test_losses_over_the_residual(loss: str, formula: Callable[..., np.ndarray], dltool_here: Dltool) -> None:
    subject = trained(dltool_here, "model=mlp", "data=diabetes", f"loss={loss}")
    batch = training_batch(subject)
    view = loss_view(subject, batch)
    assert view is not None
    np.testing.assert_allclose(view.losses, formula(view.nodes), atol=1e-5, rtol=1e-5)
    residuals = (subject.task.model(batch.inputs) - batch.targets).flatten().detach().numpy()
    np.testing.assert_allclose(view.values, residuals, atol=1e-6)


@pytest.mark.parametrize(("words", "formula"), [
    (("data=iris", "loss=cross_entropy"), lambda m: np.log1p(2 * np.exp(-m))),
    (("data=iris", "loss=hinge", "loss.violations=max"), lambda m: np.maximum(0, 1 - m)),
    (("data=moons",), lambda m: np.log1p(np.exp(-m))),
])  # fmt: skip
def test_losses_over_the_margin(
    words: tuple[str, ...], formula: Callable[..., np.ndarray], dltool_here: Dltool
) -> None:
    view = loss_view(subject := trained(dltool_here, "model=mlp", *words), training_batch(subject))
    assert view is not None
    np.testing.assert_allclose(view.losses, formula(view.nodes), atol=1e-5)


def test_margins() -> None:
    outputs = torch.tensor([[1.0, 4.0, 2.0], [3.0, 0.0, 5.0]])
    assert margins(outputs, torch.tensor([1, 0])).tolist() == [2, -2]
    assert margins(torch.tensor([[3.0], [3.0]]), torch.tensor([1, 0])).tolist() == [3, -3]


def test_a_gan_has_activations_and_no_residual(dltool_here: Dltool) -> None:
    subject = trained(dltool_here, "model=gan", "data=gaussians", "data.num_samples=300")
    batch = training_batch(subject)
    assert [view.name for view in activation_views(activated_calls(subject, batch))] == ["LeakyReLU", "ReLU"]
    assert loss_view(subject, batch) is None
