import math

import pytest
import torch
from torch import nn

from dltool.diagnostics.layer_statistics import copies_of_weights, layer_statistics, relative_updates
from dltool.diagnostics.probe import LayerCall, Recording


def test_dead_and_saturated_units_are_counted() -> None:
    """Of four ReLU units one is 0 for both samples; five of the eight values have slope 0."""
    layer = nn.Linear(2, 4)
    z = torch.tensor([[1.0, -1.0, 2.0, -3.0], [-1.0, -2.0, 4.0, 5.0]])
    call = LayerCall("hidden", layer, z, a=z.relu(), activation=torch.relu, preactivation=z, delta=torch.ones(2, 4))
    call.weight_gradient = [torch.full((4, 2), 2.0)]
    found = layer_statistics([call])["hidden"]
    expected = {
        "delta": math.sqrt(8),
        "grad": math.sqrt(8 * 4),
        "mean": 12 / 8,
        "rms": math.sqrt((1 + 4 + 16 + 25) / 8),
        "flat": 4 / 8,
        "dead": 1 / 4,
        "slope2": 4 / 8,
        "spread": math.sqrt((1 + 0.25 + 1 + 16) / 4),
        "weight_var": float(layer.weight.detach().var(correction=0)),
        "units": 4,
    }
    assert found == pytest.approx(expected)


def test_calls_of_one_layer_count_together() -> None:
    layer = nn.Linear(2, 2)
    first, second = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 4.0]])
    calls = [
        LayerCall("shared", layer, z, a=z, activation=torch.relu, preactivation=z, delta=z) for z in (first, second)
    ]
    found = layer_statistics(calls)["shared"]
    assert found["delta"] == pytest.approx(5)
    assert found["dead"] == 0
    assert math.isnan(found["grad"])
    assert found["spread"] == 0  # Within each call.


def test_a_layer_without_activation_has_no_slopes() -> None:
    found = layer_statistics([LayerCall("output", nn.Linear(2, 2), torch.ones(3, 2), delta=torch.ones(3, 2))])["output"]
    assert all(math.isnan(found[name]) for name in ("flat", "dead", "slope2"))
    assert found["rms"] == 1


def test_the_relative_size_of_an_update() -> None:
    layer = nn.Linear(3, 3, bias=False)
    before = copies_of_weights([("layer", layer)])
    with torch.no_grad():
        layer.weight *= 1.25
    assert relative_updates(before, [("layer", layer)]) == pytest.approx({"layer": 0.25})


@pytest.mark.parametrize(
    ("layer", "norm", "inputs"),
    [
        (nn.Linear(5, 3), nn.BatchNorm1d(3, eps=1e-12), torch.arange(40.0).reshape(8, 5).sin()),
        (nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3, eps=1e-12), torch.arange(200.0).reshape(4, 2, 5, 5).sin()),
    ],
)
def test_batch_norm_gives_a_spread_of_its_factor(layer: nn.Module, norm: nn.Module, inputs: torch.Tensor) -> None:
    nn.init.constant_(norm.weight, -2.0)
    network = nn.Sequential(layer, norm, nn.Sigmoid())
    with Recording(network).recording() as calls:
        network(inputs)
    assert layer_statistics(calls)["0"]["spread"] == pytest.approx(2, rel=1e-5)


def test_the_spread_of_a_layer_of_recurrent_states_is_over_samples_and_steps() -> None:
    z = torch.tensor([[[1.0, 0.0], [3.0, 0.0]], [[5.0, 2.0], [7.0, 2.0]]])
    found = layer_statistics([LayerCall("states", nn.Linear(2, 2), z)])["states"]
    assert found["spread"] == pytest.approx(math.sqrt((5 + 1) / 2))
