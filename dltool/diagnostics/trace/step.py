"""A training step in numbers: the formulas of backpropagation beside automatic differentiation and finite differences.

Everything is computed in float64. For a layer z = W a' + b with a = g(z), a' its input:

    δ = ∂J/∂z = (W_nextᵀ δ_next) ⊙ g'(z),    dW = δ a'ᵀ,    db = δ

for one sample; the columns of several samples are added. At the output δ is ∂J/∂a ⊙ g'(z); for softmax with
cross-entropy it is (ŷ - y) / B.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from dltool.core.batch import Batch
from dltool.core.randomness import seed_default_generators, step_seed
from dltool.diagnostics.layer_statistics import slope_of
from dltool.diagnostics.probe import LayerCall, Recording, weights_of
from dltool.diagnostics.trace.calls import DEFAULT, CallRecording, Choice
from dltool.diagnostics.trace.formulas import FormulaTrace, formula_traces
from dltool.layers.uncompiled import uncompiled
from dltool.tasks.task import Task

EPSILON = 1e-6  # Of the central differences; their error is about EPSILON² in float64.
NUM_DIFFERENCES = 24  # Parameters per tensor whose derivative is checked by finite differences.


@dataclass
class LayerTrace:
    """One layer in one step.

    Attributes:
        name: The layer's path in the model.
        kind: "Linear 2 → 2, Sigmoid".
        inputs: a', of the samples, or None where the layer's input is not a tensor of numbers.
        z, a: Before and after the activation; `a` is z where there is none.
        slope: g'(z); None without an activation.
        delta: ∂J/∂z.
        hand: The largest difference between δ by the formula above and by autograd, and the same for dW and db;
            None where the layer is not part of a plain chain of fully connected layers.
    """

    name: str
    kind: str
    inputs: Tensor | None
    z: Tensor
    a: Tensor
    slope: Tensor | None
    delta: Tensor | None
    hand: float | None = None


@dataclass
class ParameterTrace:
    """One parameter tensor in one step.

    Attributes:
        before, after: Its values around the update.
        gradient: ∂J/∂θ by autograd; None if J does not depend on it.
        differences: The largest difference between autograd and finite differences.
        state: The optimizer's state after the update, by name, tensors of the same shape.
    """

    name: str
    before: Tensor
    gradient: Tensor | None
    differences: float | None
    after: Tensor
    state: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class StepTrace:
    """One training step.

    Attributes:
        step: From 0.
        loss: J before the step, and `loss_after` after it, on the same samples.
        rate: The learning rate of the step.
        batch: The samples.
        layers: In the order of the computation.
        parameters: In the order of the state dict.
        formulas: Single layers at a chosen place by their formulas, with the weights before the step.
    """

    step: int
    loss: float
    loss_after: float
    rate: float
    batch: Batch
    layers: list[LayerTrace]
    parameters: list[ParameterTrace]
    formulas: list[FormulaTrace]


class Exact(TorchFunctionMode):
    """In this context float64 stays: tasks convert a network's outputs by `.float()`, for mixed precision."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        if func is Tensor.float and args[0].dtype == torch.float64:
            return args[0]
        return func(*args, **(kwargs or {}))


@contextlib.contextmanager
def exactly() -> Iterator[None]:
    """In this context computations stay in float64, and new tensors, such as noise, have float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with Exact():
            yield
    finally:
        torch.set_default_dtype(before)


def in_double(task: Task, batch: Batch) -> Batch:
    """Convert a task's networks to float64, in place, and return the batch in float64."""
    for network in {task.model, *task.roles.values()}:
        network.double()
    return batch._replace(inputs=as_written(batch.inputs), targets=as_written(batch.targets))


def state_in_double(optimizer: torch.optim.Optimizer) -> None:
    """Convert an optimizer's state to float64, in place, for parameters that are; numbers of steps stay as they are."""
    for state in optimizer.state.values():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.ndim and value.is_floating_point():
                state[name] = value.double()


def as_written(numbers: Tensor) -> Tensor:
    """float32 as float64, each number the shortest decimal that float32 rounds to it: 0.05, not 0.0500000007."""
    if numbers.dtype != torch.float32:
        return numbers
    decimals = [float(str(value)) for value in numbers.cpu().numpy().flatten()]
    return torch.tensor(decimals, dtype=torch.float64, device=numbers.device).view(numbers.shape)


def trace_step(
    task: Task,
    batch: Batch,
    optimizer: torch.optim.Optimizer,
    step: int,
    seed: int = 0,
    choice: Choice = DEFAULT,
    clip: Callable[[], None] = lambda: None,
) -> StepTrace:
    """Take a step on a batch, and record everything in it.

    Args:
        task: Minimizes one loss of one network; see in_double.
        batch: In float64.
        optimizer: Over the network's parameters, with the rate of this step.
        step: Its number.
        seed: Of the noise in the step, such as dropout.
        choice: The place at which single layers are computed.
        clip: Bounds the gradients, in place, before the update.

    Raises:
        ConfigError: No layer has this place.
    """

    def objective() -> Tensor:
        seed_default_generators(step_seed(seed, step), batch.targets.device)
        return task.loss(batch).mean

    with exactly(), uncompiled(task.model):
        return traced(task, batch, optimizer, step, objective, choice, clip)


def traced(
    task: Task,
    batch: Batch,
    optimizer: torch.optim.Optimizer,
    step: int,
    objective: Callable[[], Tensor],
    choice: Choice,
    clip: Callable[[], None],
) -> StepTrace:
    """See trace_step."""
    names = {id(p): name for name, p in task.model.named_parameters()}
    trained = [p for p in task.model.parameters() if p.requires_grad]
    with Recording(task.model).recording() as calls, CallRecording(task.model).recording() as computed:
        loss = objective()
    formulas = formula_traces(computed, choice)
    gradients = torch.autograd.grad(loss, [*(call.z for call in calls), *trained], allow_unused=True)
    for call, delta in zip(calls, gradients, strict=False):
        call.delta = delta
    of_parameter = dict(zip(map(id, trained), gradients[len(calls) :], strict=True))
    layers = [layer_trace(call) for call in calls]
    check_by_hand(calls, layers, unshared(task.model, calls, of_parameter))
    parameters = [
        ParameterTrace(
            names[id(p)],
            p.detach().clone(),
            gradient := of_parameter[id(p)],
            None if gradient is None else error_of_differences(objective, p, gradient),
            p.detach(),
        )
        for p in trained
    ]
    for parameter in trained:
        gradient = of_parameter[id(parameter)]
        parameter.grad = None if gradient is None else gradient.clone()  # Clipping is in place.
    clip()
    optimizer.step()
    for parameter, traced in zip(trained, parameters, strict=True):
        traced.after = parameter.detach().clone()
        traced.state = {
            key: value.detach().clone()
            for key, value in optimizer.state.get(parameter, {}).items()
            if isinstance(value, Tensor) and value.shape == parameter.shape
        }
    with torch.no_grad():
        after = float(objective())
    rate = float(optimizer.param_groups[0]["lr"])
    return StepTrace(step, float(loss.detach()), after, rate, batch, layers, parameters, formulas)


def layer_trace(call: LayerCall) -> LayerTrace:
    """The numbers of one layer."""
    slope = None if call.activation is None else slope_of(call).detach()
    z = call.z.detach()
    a = z if call.a is None else call.a.detach()
    return LayerTrace(call.name, kind_of(call), call.inputs, z, a, slope, call.delta)


def kind_of(call: LayerCall) -> str:
    """The layer and its activation, "Linear 2 → 2, Sigmoid"."""
    module = call.module
    sizes = f" {module.in_features} → {module.out_features}" if isinstance(module, nn.Linear) else ""
    activation = f", {call.activation_name}" if call.activation_name else ""
    return f"{type(module).__name__}{sizes}{activation}"


def unshared(
    model: nn.Module, calls: Sequence[LayerCall], of_parameter: Mapping[int, Tensor | None]
) -> dict[int, Tensor | None]:
    """The gradients of the parameters that one call of one module uses; those of others are sums over their uses."""
    uses = Counter(id(p) for module in model.modules() for p in module.parameters(recurse=False))
    uses += Counter(id(p) for call in calls for p in call.module.parameters(recurse=False))
    return {key: gradient for key, gradient in of_parameter.items() if uses[key] <= 2}


@torch.no_grad()
def check_by_hand(
    calls: Sequence[LayerCall], layers: Sequence[LayerTrace], gradients: Mapping[int, Tensor | None]
) -> None:
    """Set `hand` of the layers that form a plain chain up to the output."""
    following: tuple[Tensor, Tensor] | None = None  # W and δ of the next layer.
    for call, layer in reversed(list(zip(calls, layers, strict=True))):
        if not call.is_plain or layer.delta is None or layer.inputs is None:
            return
        weight = weights_of(call.module)[0]
        delta = layer.delta
        if following is not None:
            if layer.slope is None:
                return
            delta = following[1] @ following[0] * layer.slope
        errors = [(delta - layer.delta).abs().max(), *weight_errors(call, delta, layer.inputs, gradients)]
        layer.hand = float(torch.stack(errors).max())
        following = weight, delta


def weight_errors(
    call: LayerCall, delta: Tensor, inputs: Tensor, of_parameter: Mapping[int, Tensor | None]
) -> list[Tensor]:
    """The largest differences of dW = δ a'ᵀ and db = δ, summed over samples, to autograd."""
    delta, inputs = delta.flatten(0, -2), inputs.flatten(0, -2)  # Positions of a sequence are added like samples.
    by_hand: list[tuple[Any, Tensor]] = [(call.module.weight, delta.T @ inputs), (call.module.bias, delta.sum(0))]
    pairs = [(of_parameter.get(id(parameter)), value) for parameter, value in by_hand if parameter is not None]
    return [(gradient - value).abs().max() for gradient, value in pairs if gradient is not None]


@torch.no_grad()
def error_of_differences(objective: Callable[[], Tensor], parameter: Tensor, gradient: Tensor) -> float:
    """The largest difference between autograd and (J(θ+ε) - J(θ-ε)) / 2ε, over the first entries of a parameter."""
    flat, worst = parameter.view(-1), 0.0
    for place in range(min(len(flat), NUM_DIFFERENCES)):
        value = float(flat[place])
        losses = []
        for shift in (EPSILON, -EPSILON):
            flat[place] = value + shift
            losses.append(float(objective()))
        flat[place] = value
        slope = (losses[0] - losses[1]) / (2 * EPSILON)
        worst = max(worst, abs(slope - float(gradient.reshape(-1)[place])))
    return worst
