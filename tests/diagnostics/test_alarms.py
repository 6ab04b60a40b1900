"""Each alarm is given for a network built with its fault, and none in the first steps of a built-in default."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.diagnostics.advice import remedies
from dltool.diagnostics.alarms import KINDS, Alarm, alarms_at, first_alarms
from dltool.diagnostics.store import read_alarms, read_layers
from dltool.engine.observer import Watched
from dltool.observers.standard import build_diagnostics
from dltool.runs.folder import RunFolder

Configure = Callable[..., Config]
SHORT = ("diagnostics=default", "diagnostics.weights=false", "trainer.epochs=null", "logger.plots=false")
DEEP = f"model.hidden=[{','.join(['64'] * 20)}]"
MLP = ("model=mlp", "data=digits")


class Said:
    """A short training with diagnostics: its warnings, and its alarms."""

    def __init__(self, config: Config, folder: Path, prepare_weights: Callable[[Any], None] | None = None) -> None:
        self.warnings: list[str] = []
        parts = prepare(config)
        if prepare_weights is not None:
            with torch.no_grad():
                prepare_weights(parts.task.model)
        run = RunFolder(folder)
        trainer = build_trainer(parts, run)
        watched = Watched(run.files, parts.spec, "mlp", "digits", parts.dataset.first_batch, self.warnings.append)
        trainer.observers = [build_diagnostics(parts, watched)]
        trainer.fit()
        self.records = read_layers(folder / "diagnostics")
        self.alarms = read_alarms(folder / "diagnostics")
        self.kinds = {alarm.kind for alarm in self.alarms}


def negative_biases(model: Any) -> None:
    model.layers[0].bias.fill_(-10)


def large_weights(model: Any) -> None:
    for layer in model.layers[:-1:2]:
        layer.weight.mul_(60)


FAULTS: dict[str, tuple[tuple[str, ...], Callable[[Any], None] | None, set[str]]] = {
    "sigmoid, 20 layers": ((*MLP, DEEP, "model.activation=sigmoid"), None, {"vanishing_gradients"}),
    "ReLU, 20 layers": ((*MLP, DEEP), None, {"vanishing_gradients", "dead_units"}),
    "He, 20 layers": ((*MLP, DEEP, "model.init=kaiming_uniform"), None, set()),
    "biases of -10": ((*MLP, "model.hidden=[32,32]"), negative_biases, {"dead_units", "still_loss"}),
    "large weights": ((*MLP, "model.hidden=[64,64,64,64,64]", "optim.lr=1e-5"), large_weights, {"exploding_gradients"}),
    "rate 10": ((*MLP, "optim=sgd", "optim.lr=10"), None, {"large_updates", "diverging_loss", "dead_units"}),
    "rate 1e-9": ((*MLP, "optim.lr=1e-9"), None, {"small_updates", "still_loss"}),
    "zeros": ((*MLP, "model.init=zeros"), None, {"constant_weights", "still_loss"}),
    "zeros, sigmoid": ((*MLP, "model.init=zeros", "model.activation=sigmoid"), None, {"constant_weights"}),
    "wine, not scaled": (
        ("model=mlp", "data=wine", "data.scaling=none", "model.activation=sigmoid"),
        None,
        {"saturated_units"},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_and_its_alarms(fault: str, configure: Configure, tmp_path: Path) -> None:
    words, change, kinds = FAULTS[fault]
    said = Said(configure(*words, *SHORT, "trainer.steps=201"), tmp_path, change)
    assert said.kinds == kinds
    assert said.alarms == first_alarms(said.records)
    first_lines = [line for line in said.warnings if line.startswith("step ")]
    assert len(first_lines) == len(kinds)
    assert all("; try " in line for line in first_lines)


@pytest.mark.parametrize(("loss", "kinds"), [(2.2, ["dead_units"]), (math.nan, ["dead_units"]), (2.1, []), (0.1, [])])
def test_dead_units_in_a_network_that_learns_are_no_fault(loss: float, kinds: list[str]) -> None:
    numbers = {"dead": 0.8, "flat": 0.8, "slope2": 0.2, "weight_var": 0.1, "units": 10, "delta": 1.0, "update": 1e-3}
    layers = {"conv": numbers, "head": numbers | {"dead": math.nan, "flat": math.nan}}
    records = [
        {"step": step, "samples": 32, "losses": {"model": value}, "layers": layers}
        for step, value in zip((64, 100, 150, 200), (2.3, 2.3, 2.3, loss), strict=True)
    ]
    found = alarms_at(records)
    assert [alarm.kind for alarm in found if alarm.place == "conv"] == kinds


@pytest.mark.parametrize(("dead", "kinds"), [(0.98, []), (1.0, ["dead_units"])])
def test_at_the_start_only_a_layer_without_any_unit_is_dead(dead: float, kinds: list[str]) -> None:
    """The units that are left of AlexNet's second layer on the digits, 4 of 192, are enough for it to learn."""
    numbers = {"dead": dead, "flat": dead, "slope2": 1 - dead, "weight_var": 0.1, "units": 192, "delta": 1.0}
    layers = {
        "conv": numbers | {"update": 1e-3},
        "head": numbers | {"dead": math.nan, "flat": math.nan, "update": 1e-3},
    }
    records = [{"step": step, "samples": 32, "losses": {"model": 2.3}, "layers": layers} for step in (16, 32, 64)]
    assert [alarm.kind for alarm in alarms_at(records) if alarm.place == "conv" and alarm.kind != "still_loss"] == kinds


def test_every_kind_has_a_fault() -> None:
    assert set.union(*(kinds for _, _, kinds in FAULTS.values())) == KINDS.keys()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("sigmoid, 20 layers", "vanishing_gradients"),
        ("ReLU, 20 layers", "vanishing_gradients"),
        ("rate 10", "large_updates"),
        ("rate 1e-9", "small_updates"),
        ("zeros", "constant_weights"),
        ("wine, not scaled", "saturated_units"),
    ],
)
def test_the_first_remedy_helps(fault: str, kind: str, configure: Configure, tmp_path: Path) -> None:
    words, _, _ = FAULTS[fault]
    config = configure(*words, *SHORT, "trainer.steps=70")
    before = Said(config, tmp_path / "before")
    alarm = next(alarm for alarm in before.alarms if alarm.kind == kind)
    after = Said(configure(*words, *SHORT, "trainer.steps=70", *remedies(alarm, config)[0].split()), tmp_path / "after")
    assert kind not in after.kinds


def test_remedies_are_overrides_that_the_training_could_have(configure: Configure) -> None:
    """gpt has neither model.init nor an activation, and its norm is not batch norm."""
    alarm = Alarm("dead_units", "blocks.0", 64, 0.9)
    assert remedies(alarm, configure("model=gpt", "data=pydoc", "optim.lr=0.02")) == ["optim.lr=0.002"]
    lenet = configure("model=lenet", "optim.lr=0.02", "model.init=kaiming_uniform")
    assert remedies(alarm, lenet) == ["optim.lr=0.002", "model.activation=leaky_relu"]
    stochastic = ("model=cnn", "data=digits", "model.pooling=[stochastic,stochastic,null]")
    assert "model.activation=leaky_relu" not in remedies(alarm, configure(*stochastic))  # A rule forbids it.
    assert remedies(Alarm("still_loss", "model", 64, 0.0), configure("model=mlp", "data=iris", "optim=lbfgs"))


def test_later_places_are_named_at_the_end(configure: Configure, tmp_path: Path) -> None:
    said = Said(configure(*MLP, DEEP, *SHORT, "trainer.steps=401"), tmp_path)
    assert len([line for line in said.warnings if "dead ReLU" in line]) == 1
    assert said.warnings[-1].startswith("dead units later also in layers.")


DEFAULTS = [
    *(("mlp", data) for data in ("iris", "wine", "breast_cancer", "diabetes", "digits", "digits_rows")),
    *(("mlp", data) for data in ("line", "logic", "moons", "spirals", "gaussians")),
    *(("linear", "line"), ("linear", "diabetes"), ("logistic", "iris"), ("logistic", "moons")),
    *((model, "digits") for model in ("lenet", "cnn", "lenet5_1998", "autoencoder", "vae", "vit", "unet")),
    *((model, "digits") for model in ("gan", "cgan", "dcgan", "lsgan", "sngan", "wgan", "wgan_gp", "r3gan")),
    *(("gan", "gaussians"), ("gpt", "pydoc"), ("gpt", "tang"), ("transformer_encoder", "digits_rows")),
    *(("lstm", data) for data in ("pydoc", "sorting", "digits_rows", "numbers")),
    *(("rnn", "pydoc"), ("gru", "pydoc"), ("gru", "reversal"), ("transformer", "numbers"), ("resnet20", "digits")),
]
LARGE = ["alexnet_small", "vgg11", "vgg11_bn", "resnet18", "airbench", "stylegan2"]  # On the digits, 16 steps.


@pytest.mark.parametrize(("model", "data"), [*DEFAULTS[:2], ("lenet", "digits"), ("gan", "gaussians")])
def test_no_alarm_in_some_defaults(model: str, data: str, configure: Configure, tmp_path: Path) -> None:
    said = Said(configure(f"model={model}", f"data={data}", *SHORT, "trainer.steps=70"), tmp_path)
    assert said.records
    assert said.warnings == []


@pytest.mark.slow
@pytest.mark.parametrize(("model", "data"), DEFAULTS)
def test_no_alarm_in_any_default(model: str, data: str, configure: Configure, tmp_path: Path) -> None:
    test_no_alarm_in_some_defaults(model, data, configure, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("model", LARGE)
def test_no_alarm_in_large_models(model: str, configure: Configure, tmp_path: Path) -> None:
    words = (f"model={model}", "data=digits", "data.batch_size=8", *SHORT, "trainer.steps=17")
    assert Said(configure(*words), tmp_path).warnings == []
