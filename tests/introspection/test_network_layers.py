"""The layers and connections of networks, against networks whose structure is known."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.core.spec import DataSpec
from dltool.figures.diagram import Network
from dltool.introspection.network_layers import networks_of


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        x = self.first(inputs)
        return self.last(torch.relu(x + self.second(torch.tanh(x))))


def network(model: nn.Module) -> Network:
    (found,) = networks_of(model, {"model": model}, DataSpec((4,), output_dim=2))
    return found


def test_a_residual_connection() -> None:
    layers = network(Residual()).layers
    assert [layer.sources for layer in layers] == [(-1,), (0,), (1,)]
    assert [layer.added for layer in layers] == [(), (0,), ()]


def test_activations_join_their_layer_and_parameters_are_all_counted() -> None:
    model = nn.Sequential(nn.Linear(4, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Dropout(), nn.Linear(7, 2))
    layers = network(model).layers
    assert [layer.kinds for layer in layers] == [("Linear", "BatchNorm1d", "ReLU", "Dropout"), ("Linear",)]
    assert sum(layer.num_parameters for layer in layers) == sum(p.numel() for p in model.parameters())
    assert [layer.shape for layer in layers] == [(7,), (2,)]
    assert model.training


def test_repeated_layers_are_shown_once() -> None:
    layers = network(nn.Sequential(*(nn.Linear(4, 4) for _ in range(20)), nn.Linear(4, 2))).layers
    assert [(layer.repeats, layer.sources) for layer in layers] == [((20, 1), (-1,)), ((1, 1), (0,))]


class Parallel(nn.Module):
    """Three equal layers read the same one."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 2)
        self.branches = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))

    def forward(self, inputs: Tensor) -> Tensor:
        x = self.first(inputs)
        return self.last(sum(branch(x) for branch in self.branches))


def test_parallel_layers_are_no_repetition() -> None:
    assert all(layer.repeats == (1, 1) for layer in network(Parallel()).layers)


def test_the_blocks_of_an_encoder_and_a_decoder_are_shown_once(configure: Callable[..., Config]) -> None:
    """Although each block of the decoder attends to the same output of the encoder."""
    parts = prepare(configure("model=transformer", "data=reversal"))
    (found,) = networks_of(parts.task.model, parts.task.roles, parts.spec)
    assert [layer.repeats for layer in found.layers if layer.repeats[0] > 1] == [(3, 7), (3, 11)]


MODELS = [
    ("model=mlp", "data=example"),
    ("model=lenet",),
    ("model=resnet20",),
    ("model=lstm",),
    ("model=gpt", "data=pydoc"),
    ("model=gan",),
    ("model=autoencoder",),
    ("model=transformer", "data=numbers"),
    ("model=unet",),
    ("model=perceptron", "data=logic"),
]


@pytest.mark.parametrize("words", MODELS, ids=lambda words: words[0])
def test_every_kind_of_model(words: tuple[str, ...], configure: Callable[..., Config]) -> None:
    """Each layer is connected to earlier ones; all parameters of layers are counted once, repeats included."""
    parts = prepare(configure(*words))
    model = parts.task.model
    networks = networks_of(model, parts.task.roles, parts.spec)
    assert [one.name for one in networks] == (["generator", "discriminator"] if words[0] == "model=gan" else [""])
    total = 0
    for one in networks:
        weights = [layer.num_parameters for layer in one.layers]
        for place, layer in enumerate(one.layers):
            assert layer.sources
            assert all(source < place for source in (*layer.sources, *layer.added))
            times, length = layer.repeats
            total += (times - 1) * sum(weights[place : place + length])
        total += sum(weights)
    leaves = [module for module in model.modules() if not list(module.children())]
    assert total == sum(p.numel() for p in dict.fromkeys(p for module in leaves for p in module.parameters()))
