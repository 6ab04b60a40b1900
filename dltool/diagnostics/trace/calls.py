"""The calls whose computation is written out by formulas: attention, recurrent layers, convolutions, pooling."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from dltool.layers.attention import MultiHeadAttention
from dltool.layers.positions import LearnedPositions, SinusoidalPositions

MODULES = (MultiHeadAttention, LearnedPositions, SinusoidalPositions, nn.LSTM, nn.GRU)
FUNCTIONS = ("conv2d", "conv_transpose2d", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "flatten")


class Choice(NamedTuple):
    """The place of a layer that is computed; None for the default.

    Attributes:
        position: Of the query, or the time step, from 0; default: the last one that is not padding.
        head: From 0; default: 0.
        place: Row and column in a layer's output, from 0; default: the middle.
        channel: Of a layer's output, from 0; default: 0.
        unit: Of a recurrent layer, from 0; default: 0.
    """

    position: int | None = None
    head: int | None = None
    place: tuple[int, int] | None = None
    channel: int | None = None
    unit: int | None = None


DEFAULT = Choice()


@dataclass(frozen=True)
class Call:
    """One call of a module or of a function of torch.

    Attributes:
        name: The path of the module, or of the module that calls the function; "model" for the network itself.
        kind: The name of the function, such as "conv2d"; that of the module's class for a module.
        module: The called module; None for a function.
        args, kwargs: Its arguments, the tensors as copies.
        output: Its output; for a module, None.
    """

    name: str
    kind: str
    module: nn.Module | None
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    output: Tensor | None = None


class CallRecording(TorchFunctionMode):
    """In this context the calls of MODULES inside a network, and those of FUNCTIONS with maps `(B, C, H, W)`, are kept.

    Args:
        network: The network.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.calls: list[Call] = []
        self._entered: list[str] = []  # Names of the modules that are being called.

    @contextlib.contextmanager
    def recording(self) -> Iterator[list[Call]]:
        """The calls, in the order of the computation; the list is complete at the end of the context."""
        handles = []
        for name, module in self.network.named_modules():
            handles.append(module.register_forward_pre_hook(self._entering(name or "model"), with_kwargs=True))
            handles.append(module.register_forward_hook(self._leave))
        try:
            with self:
                yield self.calls
        finally:
            for handle in handles:
                handle.remove()

    def _entering(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def enter(module: nn.Module, args: Any, kwargs: Any) -> None:
            self._entered.append(name)
            if isinstance(module, MODULES):
                self.calls.append(Call(name, type(module).__name__, module, copied(args), copied(kwargs)))

        return enter

    def _leave(self, _module: nn.Module, _inputs: Any, _output: Any) -> None:
        self._entered.pop()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        kwargs = kwargs or {}
        kind = getattr(func, "__name__", "").removeprefix("_")
        is_of_maps = bool(args) and isinstance(args[0], Tensor) and args[0].ndim == 4
        if kind not in FUNCTIONS or not is_of_maps or not self._entered:
            return func(*args, **kwargs)
        given = copied(args), copied(kwargs)
        result = func(*args, **kwargs)
        if isinstance(result, Tensor):
            self.calls.append(Call(self._entered[-1], kind, None, *given, result.detach().clone()))
        return result


def copied(value: Any) -> Any:
    """Arguments with copies of their tensors, which later operations in place do not change."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, Mapping):
        return {key: copied(one) for key, one in value.items()}
    if type(value) in (tuple, list):
        return type(value)(map(copied, value))
    return value
