"""A network's forward pass as a list of operations with constants, which a page computes in JavaScript.

The operations are recorded while the network computes one example, as torch.jit.trace does: shapes, loops and
conditions are those of the example. See dltool.introspection.forward_operations for the operations.
"""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from dltool.introspection.forward_operations import RECURRENT, NotRecordable, Operation, operation_of, recurrent
from dltool.layers.evaluation_mode import evaluation_mode

MAX_FLOATS = 250_000  # A megabyte.


class Recorder(TorchFunctionMode):
    """Records the operations of what is computed in its context.

    Attributes:
        steps: {"op", "inputs", "options", "output"}, with a number for each tensor.
        constants: The tensors that no step has computed, by number.
    """

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        super().__init__()
        self.steps: list[dict[str, Any]] = []
        self.constants: dict[int, Tensor] = {}
        self._numbers: dict[int, int] = {}
        self._computed: set[int] = set()  # The ids of the inputs, and of what was computed from them.
        self._kept: list[Tensor] = []  # So that no id is used twice.
        self.inputs = [self._assign(tensor) for tensor in inputs]
        self._computed |= {id(tensor) for tensor in inputs}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        if not any(id(one) in self._computed for one in tensors_of((*args, *kwargs.values()))):
            return output  # A constant, such as a mask made from shapes.
        if not isinstance(output, Tensor):
            if isinstance(output, tuple) and any(isinstance(one, Tensor) for one in output):
                self._record_several(func, args, kwargs, output)
            return output
        self._record(operation_of(func, args, kwargs), output)
        return output

    def _record(self, operation: Operation | None, output: Tensor) -> None:
        if operation is None:
            return
        self._computed.add(id(output))
        inputs = [None if one is None else self._number(one) for one in operation.inputs]
        step = {"op": operation.name, "inputs": inputs, "options": operation.options}
        self.steps.append({**step, "output": self._assign(output)})

    def _record_several(self, func: Any, args: Any, kwargs: Any, outputs: Sequence[Any]) -> None:
        """Functions that cut a tensor into several are as many slices."""
        name = func.__name__
        if name in RECURRENT:
            for which, one in enumerate(outputs):
                self._record(recurrent(name, which, *args), one)
            return
        if name not in ("chunk", "split", "unbind"):
            raise NotRecordable(name)
        tensor, *rest = args
        dim = kwargs.get("dim", rest[1] if len(rest) > 1 else 0 if name != "unbind" else (rest[0] if rest else 0))
        start = 0
        for one in outputs:
            size = 1 if name == "unbind" else one.shape[dim]
            options = {"dim": dim % tensor.ndim, "start": start, "size": size, "drop": name == "unbind"}
            self._record(Operation("slice", [tensor], options), one)
            start += size

    def _assign(self, tensor: Tensor) -> int:
        self._kept.append(tensor)
        number = len(self._kept)
        self._numbers[id(tensor)] = number
        return number

    def _number(self, tensor: Tensor) -> int:
        """The number of a tensor; one that is new here is a constant."""
        if (number := self._numbers.get(id(tensor))) is None:
            number = self._assign(tensor)
            self.constants[number] = tensor
        return number

    def number_of(self, output: Tensor) -> int:
        return self._number(output)


def tensors_of(values: Iterable[Any]) -> Iterator[Tensor]:
    """The tensors among arguments, and in lists and tuples of them."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from tensors_of(value)


def record(network: Callable[..., Tensor], model: nn.Module, *inputs: Tensor) -> dict[str, Any]:
    """The program of a network.

    Args:
        network: The function from inputs to one output, such as the model or its decoder.
        model: Put into evaluation mode meanwhile.
        inputs: An example, with a batch of 1.

    Returns:
        {"inputs", "output", "shapes", "steps", "constants", "floats", "values"}; see `packed` for the last three.

    Raises:
        NotRecordable: An operation that pages do not compute.
    """
    with evaluation_mode(model), torch.no_grad(), Recorder(inputs) as recorder:
        output = network(*inputs)
    number = recorder.number_of(output)
    steps, used = needed(recorder.steps, number)
    constants = {place: tensor for place, tensor in recorder.constants.items() if place in used}
    return {
        "inputs": recorder.inputs,
        "shapes": [[*one.shape] for one in inputs],
        "output": number,
        "steps": steps,
        **packed(constants),
    }


def packed(tensors: Mapping[int, Tensor]) -> dict[str, Any]:
    """Tensors as text: float32, or the matrices among more than MAX_FLOATS numbers int8 with a scale for each row.

    Returns:
        {"constants": {number: {"shape", "start", "scales"}}, "floats": how many, "values": base64 of these float32 and
        of the int8 that follow}. `scales` is null for float32, where `start` counts floats; else it is the place of the
        first scale among the floats, and `start` counts int8.
    """
    whole = {number: tensor.detach().float().cpu().numpy() for number, tensor in tensors.items()}
    small = sum(values.size for values in whole.values()) > MAX_FLOATS
    constants, floats, bytes_ = {}, [np.zeros(0, "<f4")], [np.zeros(0, "i1")]
    for number, values in whole.items():
        place: dict[str, Any] = {"shape": [*values.shape], "scales": None}
        start = sum(map(len, floats))
        if small and values.ndim > 1:
            rows = values.reshape(len(values), -1)
            scales = np.maximum(np.abs(rows).max(axis=1), 1e-30) / 127
            place |= {"start": sum(map(len, bytes_)), "scales": start}
            bytes_.append(np.round(rows / scales[:, None]).astype("i1").reshape(-1))
            floats.append(scales.astype("<f4"))
        else:
            place["start"] = start
            floats.append(values.astype("<f4").reshape(-1))
        constants[str(number)] = place
    content = np.concatenate(floats).tobytes() + np.concatenate(bytes_).tobytes()
    return {"constants": constants, "floats": sum(map(len, floats)), "values": base64.b64encode(content).decode()}


def needed(steps: Sequence[dict[str, Any]], output: int) -> tuple[list[dict[str, Any]], set[int]]:
    """The steps that the output depends on, and the numbers of their tensors."""
    used, found = {output}, []
    for step in reversed(steps):
        if step["output"] in used:
            found.append(step)
            used |= {number for number in step["inputs"] if number is not None}
    return found[::-1], used
