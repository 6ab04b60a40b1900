"""The memory that a forward pass takes."""

import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from dltool.core.spec import DataSpec
from dltool.layers.evaluation_mode import evaluation_mode


def sample_bytes(model: nn.Module, spec: DataSpec) -> int | None:
    """The peak number of bytes that the tensors of one sample take in a forward pass without gradients.

    They are counted in a forward pass of one sample and in one of two: the growth belongs to the samples, the rest
    (masks, weights computed from others) to the model. Workspaces within an operation are not counted. A forward pass
    on torch's meta device would take no memory, but imports torch._dynamo and sympy, which takes two seconds.

    Args:
        model: On any device, not compiled; neither it nor the state of a random generator is changed.
        spec: Gives the shape of one sample.

    Returns:
        None if the model does not run alone on synthetic samples.
    """
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    generators = [device] if device.type == "cuda" else []
    sizes: list[int] = []
    try:
        with evaluation_mode(model), torch.no_grad(), torch.random.fork_rng(generators):
            for count in (1, 2):
                inputs = [part.repeat(count, *[1] * (part.ndim - 1)) for part in example_inputs(spec, device)]
                with LiveBytes(inputs, sizes) as live:
                    model(*inputs)
                sizes = live.sizes
    except Exception:  # The model may be user code that needs more than its inputs.
        return None
    return live.most


def example_inputs(spec: DataSpec, device: torch.device) -> list[Tensor]:
    """One sample as model inputs; for a sequence target also a target sequence."""
    kind = torch.int64 if spec.num_tokens else torch.float32
    inputs = [torch.ones(1, *spec.input_shape, dtype=kind, device=device)]  # Token 1 is not padding.
    if spec.target == "sequence":
        inputs.append(torch.ones(1, spec.max_target_length, dtype=torch.int64, device=device))
    return inputs


class LiveBytes(TorchDispatchMode):
    """Adds up the storages of the tensors that are alive in this context.

    Args:
        inputs: Tensors that exist already.
        before: `sizes` of an earlier forward pass, subtracted from the storages of this one.

    Attributes:
        sizes: Bytes of each storage, in the order in which they were first seen.
        most: The peak number of bytes.
    """

    def __init__(self, inputs: Sequence[Tensor], before: Sequence[int]) -> None:
        super().__init__()
        self.before = before
        self.sizes: list[int] = []
        self.most = self.now = 0
        self._users: Counter[int] = Counter()  # Tensors of each storage, by its address.
        self._grown: dict[int, int] = {}  # Bytes of a storage beyond those in `before`.
        for tensor in inputs:
            self._see(tensor)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False, or torch would import torch._dynamo to skip this class."""
        return False

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        outputs = func(*args, **(kwargs or {}))
        for output in outputs if isinstance(outputs, (tuple, list)) else (outputs,):
            if isinstance(output, Tensor):
                self._see(output)
        return outputs

    def _see(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        address = storage._cdata
        if address not in self._users:
            index = len(self.sizes)
            self.sizes.append(storage.nbytes())
            self._grown[address] = storage.nbytes() - (self.before[index] if index < len(self.before) else 0)
            self.now += self._grown[address]
            self.most = max(self.most, self.now)
        self._users[address] += 1
        weakref.finalize(tensor, self._forget, address).atexit = False

    def _forget(self, address: int) -> None:
        self._users[address] -= 1
        if self._users[address] == 0:
            del self._users[address]
            self.now -= self._grown.pop(address)
