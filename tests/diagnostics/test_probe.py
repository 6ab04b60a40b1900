"""The probe's gradients are those of the loss, and it leaves no trace; test_resume.py shows that for every task."""

import contextlib

import pytest
import torch
import torch.nn.functional as F
from classifier_task import Classifier
from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.diagnostics.layer_statistics import layer_statistics
from dltool.diagnostics.probe import LayerCall, Probe
from dltool.layers.activation import ScaledTanh
from dltool.tasks.task import Loss


def measure(network: nn.Module, inputs: Tensor, classes: int = 3) -> list[LayerCall]:
    batch = Batch(inputs, torch.arange(len(inputs)) % classes, len(inputs))
    probe = Probe(Classifier(network), batch, {"model": contextlib.nullcontext()}, torch.device("cpu"))
    return probe.measure()["model"].calls


@pytest.mark.parametrize("activation", [nn.Sigmoid, nn.ReLU, ScaledTanh, lambda: nn.ReLU(inplace=True)])
def test_gradients_are_those_of_the_formulas(activation: type[nn.Module]) -> None:
    """δ of the output is (softmax - one-hot) / B; δ_l = (W_{l+1}ᵀ δ_{l+1}) ⊙ g'(z_l); dW = δᵀ a."""
    torch.manual_seed(0)
    first, second = nn.Linear(4, 5), nn.Linear(5, 3)
    x = torch.randn(6, 4)
    hidden, output = measure(nn.Sequential(first, activation(), second), x)
    z = first(x).detach().requires_grad_()
    a = (ScaledTanh() if activation is ScaledTanh else nn.Sigmoid() if activation is nn.Sigmoid else nn.ReLU())(z)
    (slope,) = torch.autograd.grad(a.sum(), z)
    delta = (second(a).softmax(1) - F.one_hot(torch.arange(6) % 3)) / 6
    torch.testing.assert_close(hidden.z, z)
    torch.testing.assert_close(hidden.a, a)
    torch.testing.assert_close(output.delta, delta)
    torch.testing.assert_close(hidden.delta, delta @ second.weight * slope)
    assert output.weight_gradient is not None
    torch.testing.assert_close(output.weight_gradient[0], delta.T @ a)
    assert [call.is_plain for call in (hidden, output)] == [True, True]


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enter, self.norm, self.leave = nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.leave(F.relu(self.norm(self.enter(inputs)) + inputs))


def test_functions_behind_norms_and_sums_are_activations_too() -> None:
    hidden, output = measure(Residual(), torch.randn(6, 4))
    assert hidden.a is not None
    assert output.a is None
    assert (hidden.is_plain, output.is_plain) == (False, True)


def test_functions_of_the_loss_are_no_activations() -> None:
    class Hinge(Classifier):
        def loss(self, batch: Batch) -> Loss:
            mean = F.relu(1 - self.model(batch.inputs)).mean()
            return Loss(mean, batch.size, {})

    task = Hinge(nn.Sequential(nn.Linear(4, 3)))
    batch = Batch(torch.randn(6, 4), torch.zeros(6), 6)
    (call,) = Probe(task, batch, {"model": contextlib.nullcontext()}, torch.device("cpu")).measure()["model"].calls
    assert call.a is None


def test_no_trace_is_left() -> None:
    network = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.ReLU(), nn.Linear(4, 3))
    network.eval()[1].train()  # A mode of its own.
    network[0].weight.grad = torch.ones(4, 4)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    random = torch.random.get_rng_state()
    measure(network, torch.randn(6, 4, generator=torch.Generator().manual_seed(0)))
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert [module.training for module in network.modules()] == modes
    assert torch.equal(torch.random.get_rng_state(), random)
    assert torch.equal(network[0].weight.grad, torch.ones(4, 4))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


class InPlaceFunction(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.silu(x, inplace=True)


@pytest.mark.parametrize("activation", [nn.SiLU(inplace=True), InPlaceFunction()])
def test_an_activation_in_place_is_measured_like_any_other(activation: nn.Module) -> None:
    torch.manual_seed(0)
    first, last = nn.Linear(4, 5), nn.Linear(5, 3)
    batch = Batch(torch.randn(8, 4), torch.arange(8) % 3, 8)
    found = []
    for between in (nn.SiLU(), activation):
        task = Classifier(nn.Sequential(first, between, last))
        probe = Probe(task, batch, {"model": contextlib.nullcontext()}, torch.device("cpu"))
        (role,) = probe.measure().values()
        assert role.calls[0].preactivation is not None
        torch.testing.assert_close(role.calls[0].preactivation, first(batch.inputs).detach())
        found.append([list(layer.values()) for layer in layer_statistics(role.calls).values()])
    torch.testing.assert_close(torch.tensor(found[1]), torch.tensor(found[0]), equal_nan=True)
