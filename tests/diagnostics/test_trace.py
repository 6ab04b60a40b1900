"""The trace of the 2-2-2 network that many lectures use (Mazur 2015), and of others, against autograd."""

import pytest
import torch
import torch.nn.functional as F
from classifier_task import Classifier
from torch import nn

from dltool.core.batch import Batch
from dltool.diagnostics.trace.step import StepTrace, in_double, trace_step
from dltool.tasks.task import Loss, Task


class Regression(Task):
    """The mean over two outputs is the ½ Σ (target - output)² of the lectures."""

    def loss(self, batch: Batch) -> Loss:
        return Loss(F.mse_loss(self.model(batch.inputs).float(), batch.targets), batch.size, {})


def example() -> StepTrace:
    network = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 2), nn.Sigmoid())
    weights = [[[0.15, 0.2], [0.25, 0.3]], [0.35, 0.35], [[0.4, 0.45], [0.5, 0.55]], [0.6, 0.6]]
    task = Regression(network)
    batch = in_double(task, Batch(torch.tensor([[0.05, 0.10]]), torch.tensor([[0.01, 0.99]]), 1))
    with torch.no_grad():
        for parameter, values in zip(network.parameters(), weights, strict=True):
            parameter.copy_(torch.tensor(values, dtype=torch.float64))
    return trace_step(task, batch, torch.optim.SGD(network.parameters(), lr=0.5), 0)


def test_the_known_numbers() -> None:
    step = example()
    assert step.loss == pytest.approx(0.298371109, abs=5e-10)
    hidden, output = step.layers
    assert hidden.a[0].tolist() == pytest.approx([0.593269992, 0.596884378], abs=5e-10)
    assert output.a[0].tolist() == pytest.approx([0.75136507, 0.772928465], abs=5e-9)
    assert output.delta is not None
    assert output.delta[0].tolist() == pytest.approx([0.138498562, -0.038098236], abs=5e-9)
    after = {one.name: one.after for one in step.parameters}
    assert after["2.weight"].flatten().tolist() == pytest.approx(
        [0.35891648, 0.408666186, 0.511301270, 0.561370121], abs=5e-9
    )
    assert after["0.weight"].flatten().tolist() == pytest.approx(
        [0.149780716, 0.19956143, 0.24975114, 0.29950229], abs=5e-9
    )
    assert step.loss_after < step.loss


def test_the_formulas_are_autograd_and_finite_differences() -> None:
    step = example()
    assert all(layer.hand is not None and layer.hand < 1e-12 for layer in step.layers)
    assert all(one.differences is not None and one.differences < 1e-8 for one in step.parameters)


def test_autograd_in_float32_is_the_trace_to_its_rounding() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    inputs, labels = torch.randn(7, 4), torch.arange(7) % 3
    F.cross_entropy(network(inputs), labels).backward()
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    task = Classifier(network)
    batch = in_double(task, Batch(inputs, labels, 7))
    step = trace_step(task, batch, torch.optim.SGD(network.parameters(), lr=0.01), 0)
    assert len(step.parameters) == 4
    for one in step.parameters:
        torch.testing.assert_close(one.gradient, gradients[one.name].double(), rtol=0, atol=1e-6)


def test_a_deep_classifier_with_adam() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3))
    task = Classifier(network)
    batch = in_double(task, Batch(torch.randn(7, 4), torch.arange(7) % 3, 7))
    step = trace_step(task, batch, torch.optim.Adam(network.parameters(), lr=0.01), 0)
    assert all(layer.hand is not None and layer.hand < 1e-12 for layer in step.layers)
    assert [layer.kind for layer in step.layers] == ["Linear 4 → 5, ReLU", "Linear 5 → 6, Tanh", "Linear 6 → 3"]
    for one in step.parameters:
        assert one.gradient is not None
        torch.testing.assert_close(one.state["exp_avg"], 0.1 * one.gradient)
        torch.testing.assert_close(one.state["exp_avg_sq"], 0.001 * one.gradient**2)
        moved = one.gradient.abs() > 1e-6
        torch.testing.assert_close(
            (one.before - one.after)[moved], 0.01 * one.gradient.sign()[moved], rtol=1e-2, atol=0
        )


def test_layers_outside_of_a_chain_have_autograd_only() -> None:
    network = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3))
    task = Classifier(network)
    batch = in_double(task, Batch(torch.randn(7, 4), torch.arange(7) % 3, 7))
    step = trace_step(task, batch, torch.optim.SGD(network.parameters(), lr=0.01), 0)
    first, last = step.layers
    assert last.hand is not None
    assert first.hand is None
    assert all(one.differences is not None and one.differences < 1e-7 for one in step.parameters)


class Tied(nn.Module):
    """Tokens through a table that is the output layer too, and a linear layer that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.twice = nn.Embedding(3, 4), nn.Linear(4, 4)
        self.head = nn.Linear(4, 3)
        self.head.weight = self.table.weight

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.head(self.twice(self.twice(self.table(tokens)).tanh()).tanh())


class Tagger(Task):
    def loss(self, batch: Batch) -> Loss:
        return Loss(F.cross_entropy(self.model(batch.inputs).float().flatten(0, 1), batch.targets.flatten()), 1, {})


def test_layers_over_the_positions_of_a_sequence() -> None:
    network = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    task = Tagger(network)
    batch = in_double(task, Batch(torch.randn(2, 6, 4), torch.arange(12).view(2, 6) % 3, 2))
    step = trace_step(task, batch, torch.optim.SGD(network.parameters(), lr=0.01), 0)
    assert all(layer.hand is not None and layer.hand < 1e-12 for layer in step.layers)


def test_weights_that_several_layers_use() -> None:
    task = Tagger(Tied())
    batch = in_double(task, Batch(torch.tensor([[0, 1, 2, 1]]), torch.tensor([[1, 2, 1, 0]]), 1))
    step = trace_step(task, batch, torch.optim.SGD(task.model.parameters(), lr=0.01), 0)
    assert all(layer.hand is None or layer.hand < 1e-12 for layer in step.layers)
    assert step.layers[-1].hand is not None


def test_the_default_type_of_new_tensors_is_restored() -> None:
    example()
    assert torch.get_default_dtype() == torch.float32
