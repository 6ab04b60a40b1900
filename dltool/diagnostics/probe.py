"""A training step on fixed samples whose gradients are read, and which leaves no trace in the training.

Nothing of `.grad`, the buffers, the modes or the random numbers of the training changes: gradients come from
`torch.autograd.grad`, and parameters, buffers, the task's state and the default generators are restored. So the weights
of a training are bitwise the same with and without diagnostics.
"""

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from dltool.core.batch import Batch
from dltool.core.randomness import seed_default_generators
from dltool.diagnostics.activations import ACTIVATION_FUNCTIONS, ACTIVATION_MODULES
from dltool.layers.uncompiled import uncompiled
from dltool.metrics.mean import Mean
from dltool.tasks.task import Loss, Task, Updater

Elementwise = Callable[[Tensor], Tensor]


@dataclass
class LayerCall:
    """One call of a layer, a module with weights of its own.

    Attributes:
        name: The layer's path in the network of its role, after "role." where a task has several roles.
        module: The layer.
        z: Its output, before the activation.
        a: The output of the activation that follows it; None if none does.
        activation: That activation as a function of its input.
        preactivation: The input of the activation: z, or its normalised value.
        is_plain: Whether the activation is applied to z itself, and the layer to the activation before it.
        inputs: The layer's input, if it is a tensor of numbers.
        activation_name: Of the activation, such as "Sigmoid" or "relu".
        delta: The gradient of the loss with respect to z; None where the loss does not depend on it.
        weight_gradient: The gradient with respect to the layer's weights, one tensor for each; None as above.
    """

    name: str
    module: nn.Module
    z: Tensor
    a: Tensor | None = None
    activation: Elementwise | None = None
    preactivation: Tensor | None = None
    is_plain: bool = True
    inputs: Tensor | None = None
    activation_name: str = ""
    delta: Tensor | None = None
    weight_gradient: list[Tensor] | None = None


def weights_of(module: nn.Module) -> list[nn.Parameter]:
    """The module's own weights that are trained, without biases and the factors of norms."""
    return [p for p in module.parameters(recurse=False) if p.ndim >= 2 and p.requires_grad]


class Recording(TorchFunctionMode):
    """In this context the calls of a network's layers and of the activations behind them are kept.

    Args:
        network: The network of one role.
        prefix: Comes before the layers' names.
    """

    def __init__(self, network: nn.Module, prefix: str = "") -> None:
        super().__init__()
        self.network = network
        self.prefix = prefix
        self.calls: list[LayerCall] = []
        self._depth = 0  # Modules of the network that are being called.
        self._in_activation = 0
        self._overwritten: Tensor | None = None  # The input of the newest activation, if that is computed in place.
        self._passed_on: Tensor | None = None  # What the network has in place of the newest z.

    @contextlib.contextmanager
    def recording(self) -> Iterator[list[LayerCall]]:
        """The calls, in the order of the computation; the list is complete at the end of the context."""
        handles = []
        for name, module in self.network.named_modules():
            handles.append(module.register_forward_pre_hook(self._enter))
            if weights_of(module):
                handles.append(module.register_forward_hook(self._layer_hook(self.prefix + name)))
            elif isinstance(module, ACTIVATION_MODULES):
                handles.append(module.register_forward_pre_hook(self._enter_activation))
                handles.append(module.register_forward_hook(self._leave_activation))
            handles.append(module.register_forward_hook(self._leave))
        try:
            with uncompiled(self.network), self:
                yield self.calls
        finally:
            for handle in handles:
                handle.remove()

    def _layer_hook(self, name: str) -> Callable[[nn.Module, Any, Any], Tensor | None]:
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> Tensor | None:
            z = first_tensor(output)
            if z is None or not z.requires_grad:
                return None
            follows = not self.calls or (bool(inputs) and inputs[0] is self.calls[-1].a)
            call = LayerCall(name, module, z, is_plain=follows and isinstance(module, nn.Linear))
            if inputs and isinstance(inputs[0], Tensor) and inputs[0].is_floating_point():
                call.inputs = inputs[0].detach()
            self.calls.append(call)
            if not isinstance(output, Tensor):
                return None
            self._passed_on = z.clone()  # An operation in place behind the layer would change z.
            return self._passed_on

        return hook

    def _enter(self, _module: nn.Module, _inputs: Any) -> None:
        self._depth += 1

    def _leave(self, _module: nn.Module, _inputs: Any, _output: Any) -> None:
        self._depth -= 1

    def _enter_activation(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if not self._in_activation:
            self._overwritten = inputs[0].detach().clone() if getattr(module, "inplace", False) else None
        self._in_activation += 1

    def _leave_activation(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        self._in_activation -= 1
        if not self._in_activation:
            self._note_activation(type(module).__name__, module.forward, inputs[0], output)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        kwargs = kwargs or {}
        is_activation = (
            func in ACTIVATION_FUNCTIONS and self._depth and not self._in_activation
        )  # A loss may use one too.
        if is_activation:
            is_in_place = kwargs.get("inplace", False) or any(argument is True for argument in args[1:])
            self._overwritten = args[0].detach().clone() if is_in_place else None
        result = func(*args, **kwargs)
        if is_activation:
            self._note_activation(func.__name__, lambda z: func(z, *args[1:], **kwargs), args[0], result)
        return result

    def _note_activation(self, name: str, function: Elementwise, preactivation: Tensor, result: Tensor) -> None:
        if self.calls and self.calls[-1].a is None:
            call = self.calls[-1]
            kept = preactivation.detach() if self._overwritten is None else self._overwritten
            call.activation, call.preactivation, call.a = function, kept, result
            call.activation_name = name
            call.is_plain = call.is_plain and preactivation is self._passed_on


def first_tensor(output: Any) -> Tensor | None:
    """The first floating-point tensor of a module's output: of a recurrent layer, its states at all positions."""
    if isinstance(output, Tensor):
        return output if output.is_floating_point() else None
    if isinstance(output, tuple) and output:
        return first_tensor(output[0])
    return None


@dataclass
class ReadingUpdater:
    """Takes the place of an updater in the probe's step: computes the gradients, and takes no step.

    Attributes:
        network: The network of the role.
        prefix: See Recording.
        autocast: The precision of the role's updater.
        calls: The layers' calls of the last evaluation, with their gradients.
        loss: The value of the last evaluation.
    """

    network: nn.Module
    prefix: str
    autocast: Any
    calls: list[LayerCall] = field(default_factory=list)
    loss: float = float("nan")

    def minimize(self, loss: Callable[[Batch], Loss], batch: Batch) -> dict[str, Mean]:
        """Evaluate the loss and its gradients with respect to the layers' outputs and weights."""
        with Recording(self.network, self.prefix).recording() as calls, self.autocast:
            evaluated = loss(batch)
        self.calls, self.loss = calls, float(evaluated.mean.detach())
        weights = {id(p): p for call in calls for p in weights_of(call.module)}
        sought = [*(call.z for call in calls), *weights.values()]
        if not sought or not evaluated.mean.requires_grad:
            return evaluated.logs
        gradients = torch.autograd.grad(evaluated.mean, sought, allow_unused=True)
        of_weights = dict(zip(weights, gradients[len(calls) :], strict=True))
        for call, delta in zip(calls, gradients, strict=False):
            call.delta = delta
            found = [of_weights[id(p)] for p in weights_of(call.module)]
            call.weight_gradient = [gradient for gradient in found if gradient is not None] or None
        return evaluated.logs

    def joined(self, rows: Tensor, batch: Batch) -> Tensor:
        """The rows themselves: one process computes the whole batch."""
        return rows


@dataclass
class FixedSource:
    """A source that gives the same batch each time."""

    batch: Batch

    def draw(self) -> Batch:
        return self.batch


@dataclass
class Probe:
    """Measures one training step of a task on fixed samples, at any time during its training.

    Args:
        task: The task; its networks are in the mode of the training.
        batch: The samples.
        autocasts: Role to the autocast context of its updater.
        device: Of the samples and the networks.
        seed: Of the noise in the step, such as dropout, the same in every measurement.
    """

    task: Task
    batch: Batch
    autocasts: Mapping[str, Any]
    device: torch.device
    seed: int = 0

    def measure(self) -> dict[str, ReadingUpdater]:
        """Role to what its updates in one step would have used."""
        prefixes = {role: f"{role}." if len(self.autocasts) > 1 else "" for role in self.autocasts}
        updaters = {
            role: ReadingUpdater(self.task.roles[role], prefixes[role], autocast)
            for role, autocast in self.autocasts.items()
        }
        with restored(self.task, self.device):
            seed_default_generators(self.seed, self.device)
            as_protocol: Mapping[str, Updater] = updaters
            self.task.train_step(FixedSource(self.batch), as_protocol)
        return updaters


@contextlib.contextmanager
def restored(task: Task, device: torch.device) -> Iterator[None]:
    """Parameters, buffers, the task's state and the default generators are the same after this context as before."""
    networks = {task.model, *task.roles.values()}
    tensors = [t for network in networks for t in (*network.parameters(), *network.buffers())]
    before = [tensor.detach().clone() for tensor in tensors]
    state = copy.deepcopy(task.state_dict())
    accelerators = [] if device.type == "cpu" else [device]
    with torch.random.fork_rng(accelerators, device_type=device.type if accelerators else "cuda"):
        try:
            yield
        finally:
            with torch.no_grad():
                for tensor, value in zip(tensors, before, strict=True):
                    tensor.copy_(value)
            task.load_state_dict(state)
