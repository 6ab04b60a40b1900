"""The gates of an LSTM or a GRU over time by their formulas, beside torch's layer."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from dltool.core.errors import ConfigError
from dltool.diagnostics.trace.attention import chosen_position
from dltool.diagnostics.trace.calls import Call, Choice
from dltool.diagnostics.unrolled import unrolled
from dltool.layers.evaluation_mode import evaluation_mode


@dataclass
class RecurrentTrace:
    """One layer over the sequence; see dltool.diagnostics.unrolled.

    Attributes:
        name: The module's path.
        kind: "LSTM" or "GRU".
        layer, num_layers: The layer of the module.
        position, unit: Those that are printed.
        gates, sums: By name, each `(T, H)`.
        carry: The name of the gate whose product is the direct path of the gradient.
        direct_path: That product from each step to the last one, `(T, H)`.
        error: The largest difference of h of the last layer to the module's output.
    """

    what: ClassVar[str] = "recurrent"
    name: str
    kind: str
    layer: int
    num_layers: int
    position: int
    unit: int
    gates: dict[str, Tensor]
    sums: dict[str, Tensor]
    carry: str
    direct_path: Tensor
    error: float


@torch.no_grad()
def recurrent_traces(call: Call, choice: Choice) -> list[RecurrentTrace] | None:
    """Compute the layers of a call of nn.LSTM or nn.GRU for the first sample; None if it also reads backwards.

    Raises:
        ConfigError: There is no such position or unit.
    """
    module = call.module
    assert isinstance(module, nn.LSTM | nn.GRU)
    inputs, state = call.args[0], call.args[1] if len(call.args) > 1 else call.kwargs.get("hx")
    if module.bidirectional or module.proj_size or not isinstance(inputs, Tensor) or inputs.ndim != 3:
        return None
    of_sample = inputs[0] if module.batch_first else inputs[:, 0]
    position, unit = chosen_position(call.name, choice, len(of_sample)), choice.unit or 0
    if unit >= module.hidden_size:
        raise ConfigError(
            f"--unit {unit}: {call.name} has {module.hidden_size} units", f"--unit {module.hidden_size - 1} is the last"
        )
    parts = (state,) if isinstance(state, Tensor) else state
    layers = unrolled(module, of_sample, None if parts is None else [part[:, 0] for part in parts])
    with evaluation_mode(module):
        features = module(*call.args, **call.kwargs)[0]
    output = features[0] if module.batch_first else features[:, 0]
    error = float((layers[-1].gates["h"] - output).abs().max())
    return [
        RecurrentTrace(
            call.name,
            call.kind,
            one.layer,
            len(layers),
            position,
            unit,
            one.gates,
            one.sums,
            one.carry,
            one.direct_path(),
            error,
        )
        for one in layers
    ]
