"""The surface of the loss over two parameters and the fitted curve, against closed forms and the run's own loss."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import torch
from places import NUMBERS_ONLY

from dltool.core.batch import Batch
from dltool.diagnostics.loss_surface import LossSurface
from dltool.diagnostics.quadratic import Quadratic
from dltool.diagnostics.store import read_weights, weight_files
from dltool.engine.checkpoint import load
from dltool.inference.run import Run
from dltool.plotting import fit
from dltool.plotting.runs import loaded, missing
from dltool.plotting.subject import Subject
from dltool.plotting.surface import SurfaceFigure, path_of, surface_of
from dltool.runs.folder import RunFolder

Dltool = Callable[..., CompletedProcess[str]]
SHORT = ("diagnostics=default", "trainer.epochs=null", "schedule=constant", *NUMBERS_ONLY)
NETWORK = ("model=mlp", "model.hidden=[1]", "model.activation=tanh", "model.bias=false")
WAVE = ("data=line", "data.slope=0", "data.intercept=0", "data.sine=1")


@pytest.fixture
def trained(dltool_here: Dltool) -> Callable[..., Subject]:
    def train(name: str, *words: str) -> Subject:
        done = dltool_here("train", *words, *SHORT, f"run.dir={name}")
        assert done.returncode == 0, done.stderr
        return loaded(Path(name).resolve())

    return train


def training_data(subject: Subject) -> Batch:
    """All training samples, float64."""
    assert subject.training_samples is not None
    batch = subject.training_samples(10**9)
    return batch._replace(inputs=batch.inputs.double(), targets=batch.targets.double())


def loss_on_all(subject: Subject, batch: Batch, file: Path) -> float:
    """The loss of the run's model with the weights of a file, in float64."""
    model = subject.task.model
    model.load_state_dict(read_weights(file))
    return subject.task.measure(model.double()(batch.inputs).detach(), batch.targets)["loss"]


@pytest.mark.parametrize(("reduction", "samples"), [("mean", 200), ("half", 200), ("mean", 3500)])
def test_the_distance_is_the_loss_on_all_data_minus_least_squares(
    reduction: str, samples: int, trained: Callable[..., Subject]
) -> None:
    words = ("model=linear", "data=line", "data.mean=3", f"data.num_samples={samples}", "optim=sgd", "optim.lr=0.05")
    subject = trained("run", *words, "loss=mse", f"loss.reduction={reduction}", "trainer.steps=20")
    surface, path, batch = surface_of(subject), path_of(subject), training_data(subject)
    assert isinstance(surface, Quadratic)
    x, y = batch.inputs[:, 0].numpy(), batch.targets[:, 0].numpy()
    factor = 0.5 if reduction == "half" else 1
    least = factor * np.mean((np.polyval(np.polyfit(x, y, 1), x) - y) ** 2)
    losses = [loss_on_all(subject, batch, file) for _, file in weight_files(subject.folder)]
    np.testing.assert_allclose(surface.excess(path.places), np.array(losses) - least, rtol=1e-10)
    # The gradient of the loss, and so the largest stable rate, is that of the run's own loss.
    theta = torch.tensor([0.5, -0.5], dtype=torch.float64, requires_grad=True)
    loss = subject.task.compared((theta[0] * batch.inputs[:, :1] + theta[1]), batch.targets)
    assert loss is not None
    (slope,) = torch.autograd.grad(loss, theta)
    np.testing.assert_allclose(surface.gradient(theta.detach().numpy()), slope, rtol=1e-10)


def test_descent_into_two_wells(dltool_here: Dltool, dltool: Dltool) -> None:
    """The network computes its own surface; opposite weights give the same outputs, so every minimum has a twin."""
    starts = "[[[0.4]],[[0.2]]],[[[-0.4]],[[-0.2]]]"
    words = ("optim=sgd", "optim.lr=0.5", "data.batch_size=full", "trainer.steps=100", f"model.initial={starts}")
    done = dltool("train", "-m", *NETWORK, *WAVE, *SHORT, *words, "sweep.dir=sweep")
    assert done.returncode == 0, done.stderr
    assert "plots/surface.png" in done.stdout
    subjects = [loaded(path.parent.resolve()) for path in sorted(Path("sweep").glob("*/config.yaml"))]
    paths = [path_of(subject) for subject in subjects]
    surface = surface_of(subjects[0], paths)
    assert isinstance(surface, LossSurface)
    assert len(surface.minima) == 2
    np.testing.assert_allclose(surface.minima[0], -surface.minima[1], atol=1e-6)
    ends = [path.places[-1] for path in paths]
    wells = [int(np.linalg.norm(surface.minima - end, axis=1).argmin()) for end in ends]
    assert sorted(wells) == [0, 1]
    for end, well in zip(ends, wells, strict=True):
        np.testing.assert_allclose(end, surface.minima[well], atol=0.1)
    batch = training_data(subjects[0])
    x, y = batch.inputs[:, 0].numpy(), batch.targets[:, 0].numpy()
    for w1, w2 in np.random.default_rng(0).normal(size=(10, 2)):
        assert surface(np.array([w1, w2])) == pytest.approx(np.mean((w2 * np.tanh(w1 * x) - y) ** 2), rel=1e-10)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("model=mlp", "model.hidden=[]", "data=line"), Quadratic),
        (("model=mlp", "model.hidden=[1]", "model.bias=false", "model.activation=identity", "data=line"), LossSurface),
        ((*NETWORK, "data=line"), LossSurface),
        (("model=linear", "data=line", "loss=mae"), LossSurface),
        (("model=linear", "data=line", "loss=mse", "loss.reduction=sum", "optim.lr=1e-4"), LossSurface),
        (("model=logistic", "model.bias=false", "data=moons"), LossSurface),
    ],
)
def test_every_model_of_two_parameters(
    words: tuple[str, ...], kind: type, trained: Callable[..., Subject], dltool_here: Dltool
) -> None:
    subject = trained("run", *words, "trainer.steps=5")
    drawn = dltool_here("plot", "run", "--figure", "surface")
    assert drawn.returncode == 0, drawn.stderr
    assert "could not be drawn" not in drawn.stdout + drawn.stderr
    surface = surface_of(subject)
    assert isinstance(surface, kind)
    assert Path("run/plots/surface.png").stat().st_size > 20_000
    batch = training_data(subject)
    last = path_of(subject).places[-1]
    targets = batch.targets if subject.spec.target == "numbers" else batch.targets.long()
    measured = loss_on_all(subject, batch._replace(targets=targets), weight_files(subject.folder)[-1][1])
    assert surface(last) == pytest.approx(measured, rel=1e-6)


def test_other_losses_and_other_data_are_not_drawn_on_one_surface(trained: Callable[..., Subject]) -> None:
    words = ("model=linear", "data=line", "trainer.steps=3", "data.num_samples=50")
    first = trained("first", *words)
    figure = SurfaceFigure()
    assert missing(figure, [first, trained("seed", *words, "seed=1", "data.batch_size=7")]) is None
    assert missing(figure, [first, trained("loss", *words, "loss=mae")]) == "the runs differ in loss.name"
    assert missing(figure, [first, trained("data", *words, "data.mean=3")]) == "the runs differ in data.mean"


@pytest.mark.parametrize("scaling", ["none", "standardize"])
def test_the_curve_is_the_predictions(scaling: str, trained: Callable[..., Subject]) -> None:
    words = ("model=mlp", "model.hidden=[8]", "data=line", "data.sine=2", "data.mean=5", f"data.scaling={scaling}")
    subject = trained("run", *words, "data.num_samples=100", "trainer.steps=30")
    inputs, targets = fit.training_points(subject)
    curve = fit.fitted_curve(subject, fit.nodes_over(inputs, 50), inputs, targets)
    run = Run(RunFolder(Path("run").resolve()), checkpoint="last")
    predicted = [row["prediction"] for row in run.predict(curve.nodes[:, None]).records()]
    np.testing.assert_allclose(curve.values, np.array(predicted).ravel(), atol=1e-6)
    own = [row["prediction"] for row in run.predict(inputs[:, None]).records()]
    np.testing.assert_allclose(curve.residuals, targets - np.array(own).ravel(), atol=1e-6)
    batch = training_data(subject)
    np.testing.assert_allclose(targets, batch.targets[:, 0], atol=1e-6)
    assert curve.nodes[0] < inputs.min() < inputs.max() < curve.nodes[-1]


def test_the_fit_of_one_column_of_a_table_is_in_its_units(trained: Callable[..., Subject]) -> None:
    """Targets that are standardized for the training are drawn in their own units."""
    x = np.linspace(100, 200, 60)
    Path("t.csv").write_text("size,price\n" + "\n".join(f"{a},{5000 + 30 * a}" for a in x), encoding="ascii")
    subject = trained("run", "model=linear", "data=csv", "data.path=t.csv", "data.target=price", "trainer.steps=300",
                      "optim.lr=0.05")  # fmt: skip
    inputs, targets = fit.training_points(subject)
    np.testing.assert_allclose(targets, 5000 + 30 * inputs, rtol=1e-5)
    curve = fit.fitted_curve(subject, fit.nodes_over(inputs, 20), inputs, targets)
    np.testing.assert_allclose(curve.values, 5000 + 30 * curve.nodes, rtol=0.05)


def test_losses_and_models_in_one_picture(dltool_here: Dltool, dltool: Dltool) -> None:
    words = ("data=line", "data.outliers=0.2", "optim=sgd", "optim.lr=0.1", "trainer.steps=150")
    done = dltool("train", "-m", "model=linear", *words, *SHORT, "loss=mse,mae", "sweep.dir=sweep")
    assert "plots/fit.png" in done.stdout, done.stderr
    subjects = [loaded(path.parent.resolve()) for path in sorted(Path("sweep").glob("*/config.yaml"))]
    biases = {one.config["loss"]["name"]: float(one.task.model.state_dict()["linear.bias"]) for one in subjects}
    assert biases["mse"] == pytest.approx(3, abs=0.3)  # 0.2 · 10 above the line.
    assert biases["mae"] == pytest.approx(1, abs=0.3)


def test_the_last_kept_weights_are_not_those_that_were_tested(trained: Callable[..., Subject]) -> None:
    """A training that swings around the minimum is tested with the weights of its best evaluation."""
    words = ("model=linear", "data=line", "data.num_samples=60", "data.batch_size=full", "optim=momentum")
    subject = trained("run", *words, "optim.lr=0.1", "optim.momentum=0.99", "trainer.steps=30", "trainer.test=best")
    last = load(next(Path("run/checkpoints").glob("step-000030"))).weights
    best = load(Path("run/checkpoints") / Path("run/checkpoints/best").read_text(encoding="ascii").strip()).weights
    assert any(not torch.equal(best[name], tensor) for name, tensor in last.items())
    kept = read_weights(dict(weight_files(subject.folder))[30])
    assert all(torch.equal(kept[name], tensor) for name, tensor in last.items())
