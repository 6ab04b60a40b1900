"""Measured gradients of deep networks against theory: log10 of the first layer's ‖δ‖ over that of the 20th."""

import contextlib
import math
from statistics import fmean

import pytest
import torch
from classifier_task import Classifier
from torch import nn

from dltool.core.batch import Batch
from dltool.diagnostics.layer_statistics import layer_statistics
from dltool.diagnostics.probe import Probe
from dltool.diagnostics.theory import is_plain, predicted_deltas
from dltool.layers.hidden_layers import hidden_layers
from dltool.layers.initialize import initialize

DEPTH, WIDTH, NUM_SEEDS = 20, 64, 5


def measured_and_predicted(activation: str, init: str, seed: int) -> tuple[float, float]:
    torch.manual_seed(seed)
    network = nn.Sequential(*hidden_layers([WIDTH] * (DEPTH + 1), activation), nn.Linear(WIDTH, 10))
    initialize(network, init)
    batch = Batch(torch.randn(256, WIDTH), torch.randint(10, (256,)), 256)
    probe = Probe(Classifier(network), batch, {"model": contextlib.nullcontext()}, torch.device("cpu"))
    calls = probe.measure()["model"].calls
    assert is_plain(calls)
    layers = list(layer_statistics(calls).values())
    theory = predicted_deltas(layers)
    return math.log10(layers[0]["delta"] / layers[DEPTH - 1]["delta"]), math.log10(theory[0] / theory[DEPTH - 1])


@pytest.mark.parametrize(
    ("activation", "init", "expected"),
    [
        ("sigmoid", "default", -16.2),
        ("relu", "default", -7.5),
        ("relu", "xavier_uniform", -2.9),
        ("relu", "kaiming_uniform", 0.0),
    ],
)
def test_the_gradient_vanishes_as_predicted(activation: str, init: str, expected: float) -> None:
    pairs = [measured_and_predicted(activation, init, seed) for seed in range(NUM_SEEDS)]
    measured, predicted = (fmean(values) for values in zip(*pairs, strict=True))
    assert measured == pytest.approx(predicted, abs=0.1)
    assert measured == pytest.approx(expected, abs=0.15)
