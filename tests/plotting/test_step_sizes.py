"""The measured steps on the least-squares surface, against the closed form of descent on a quadratic."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dltool.core.safe_path import SafePath
from dltool.diagnostics.quadratic import Quadratic
from dltool.diagnostics.store import DiagnosticsStore, read_steps
from dltool.figures.step_sizes import StepSizes, step_sizes_picture
from dltool.plotting.figure import Options
from dltool.plotting.runs import loaded
from dltool.plotting.step_sizes import step_sizes_of
from dltool.plotting.surface import SurfaceFigure, path_of, surface_of

Trained = Callable[..., Path]
LINE = ("model=linear", "data=line", "data.mean=3", "data.batch_size=full", "diagnostics=default", "schedule=constant")
SHORT = ("trainer.epochs=null", "trainer.steps=6", "trainer.threads=1", "logger.plots=false", "trainer.test=none")


@pytest.mark.parametrize("rate", [0.01, 0.09])
def test_descent_gains_what_the_quadratic_says(rate: float, trained_here: Trained) -> None:
    """E(θ - ηg) - E(θ) = -η‖g‖² + η² gᵀA g, so the ratio to first order is 1 - η gᵀA g / ‖g‖²."""
    subject = loaded(trained_here("run", *LINE, *SHORT, "optim=sgd", f"optim.lr={rate}"))
    surface = surface_of(subject)
    assert isinstance(surface, Quadratic)
    found = step_sizes_of(subject, surface)
    assert found.steps.tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(found.rates, np.full((6, 2), rate))
    g = surface.gradient(path_of(subject).places[:-1])
    square = (g**2).sum(axis=1)
    np.testing.assert_allclose(found.predicted, -rate * square, rtol=1e-4)  # The run's steps are float32.
    bent = np.einsum("ki,ij,kj->k", g, surface.A, g) / square
    np.testing.assert_allclose(found.ratio, 1 - rate * bent, atol=1e-3)
    # Along the steep direction the tangent is off by half of what the rate is of the largest stable one.
    assert found.ratio[0] == pytest.approx(1 - rate / surface.largest_rate, abs=0.02)


def test_adam_moves_each_parameter_by_its_rate(trained_here: Trained) -> None:
    """In its first step by η; later the flat direction has the larger rate."""
    subject = loaded(trained_here("run", *LINE, *SHORT, "optim=adam", "optim.lr=0.05"))
    found = step_sizes_of(subject, surface_of(subject))
    gradient = surface_of(subject).gradient(path_of(subject).places[:1])[0]
    np.testing.assert_allclose(found.rates[0], 0.05 / np.abs(gradient), rtol=1e-5)
    drawings = SurfaceFigure().drawings([subject], Options())
    assert list(drawings) == ["surface", "distance", "step_sizes"]


def test_a_resumed_training_measures_its_steps_again(tmp_path: Path) -> None:
    store = DiagnosticsStore(SafePath(tmp_path))
    for step in range(4):
        store.add_step({"step": step, "updates": {"w": [0.5], "b": [float("nan")]}})
    store.cut_back(2)
    assert [record["step"] for record in read_steps(tmp_path)] == [0, 1]


def test_a_step_without_a_predicted_change_has_no_ratio() -> None:
    steps = StepSizes("sgd", np.arange(2), np.full((2, 2), np.nan), np.array([0.0, -2.0]), np.array([0.5, -1.0]))
    np.testing.assert_array_equal(steps.ratio, [np.nan, 0.5])
    labels = [line.get_label() for line in step_sizes_picture(("w", "b"), [steps]).axes[0].lines]
    assert not any("sgd" in str(label) for label in labels)
