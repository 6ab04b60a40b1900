"""Recurrent layers as loops over the positions, in the form that a graph can contain.

torch.export unrolls torch's own recurrent layers: the graph then has one number of positions, and one copy of the cell
for each. Here the loop is torch's `scan`, one operation with the cell as its body, for any number of positions; ONNX
has the same operation, Scan. Only exports use this: torch's layers are many times as fast in training.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._higher_order_ops.scan import scan

from dltool.core.errors import RunError
from dltool.layers.recurrent import SigmoidRNN

Step = Callable[[tuple[Tensor, ...], Tensor], tuple[tuple[Tensor, ...], Tensor]]
HINT = "--format safetensors takes any model"


def read(
    layer: nn.RNNBase, inputs: Tensor, state: Tensor | tuple[Tensor, ...] | None = None
) -> tuple[Tensor, Tensor | tuple[Tensor, ...]]:
    """The same as the layer's forward() in evaluation mode, for its arguments.

    Raises:
        RunError: The inputs are packed or have no batch dimension, or the layer projects its states.
    """
    if not isinstance(inputs, Tensor):
        raise RunError(
            "a graph cannot contain packed sequences, whose shape depends on the lengths",
            f"read right-padded sequences in forward(), and take the features at each one's last position; {HINT}",
        )
    if layer.proj_size or inputs.ndim != 3:
        what = "projected states (proj_size)" if layer.proj_size else "inputs without a batch dimension"
        raise RunError(f"the recurrent layers of a graph have no {what}", HINT)
    features = inputs.transpose(0, 1) if layer.batch_first else inputs  # (T, B, D)
    num_directions = 2 if layer.bidirectional else 1
    zeros = inputs.new_zeros(num_directions * layer.num_layers, features.shape[1], layer.hidden_size)
    num_parts = 2 if isinstance(layer, nn.LSTM) else 1
    given = (state,) if isinstance(state, Tensor) else state
    initial = given or (zeros,) * num_parts
    ends = []
    for depth in range(layer.num_layers):
        read_features = []
        for direction in range(num_directions):
            place = depth * num_directions + direction
            start = tuple(part[place] for part in initial)
            found, end = read_once(layer, f"l{depth}{'_reverse' * direction}", features, start, reverse=direction == 1)
            read_features.append(found)
            ends.append(end)
        features = torch.cat(read_features, dim=2) if layer.bidirectional else read_features[0]
    last = tuple(torch.stack(parts) for parts in zip(*ends, strict=True))
    outputs = features.transpose(0, 1) if layer.batch_first else features
    return outputs, (last if isinstance(layer, nn.LSTM) else last[0])


def read_once(
    layer: nn.RNNBase, suffix: str, inputs: Tensor, start: tuple[Tensor, ...], *, reverse: bool
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Features `(T, B, H)` and the last state of one layer in one direction, from inputs `(T, B, D)`."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    w, u, b_in, b_hidden = (getattr(layer, f"{name}_{suffix}", None) for name in names)
    assert w is not None
    assert u is not None
    step = step_of(layer, u, b_hidden)
    given = F.linear(inputs, w, b_in)  # For all positions at once, without the part that depends on the state.
    first = tuple(part.clone() for part in start)  # scan refuses two states that share memory.
    end, features = scan(step, first, given, reverse=reverse)
    return features, tuple(end)


def step_of(layer: nn.RNNBase, u: Tensor, bias: Tensor | None) -> Step:
    """The step of a layer's cell; see dltool.layers.recurrent.Cells for the equations."""

    def lstm(state: tuple[Tensor, ...], given: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        h, c = state
        i, f, g, o = (given + F.linear(h, u, bias)).chunk(4, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        return (h, c), h.clone()

    def gru(state: tuple[Tensor, ...], given: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        (h,) = state
        given_r, given_z, given_n = given.chunk(3, dim=1)
        r, z, n = F.linear(h, u, bias).chunk(3, dim=1)
        z = (given_z + z).sigmoid()
        h = (1 - z) * (given_n + (given_r + r).sigmoid() * n).tanh() + z * h
        return (h,), h.clone()

    activation = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}[
        "sigmoid" if isinstance(layer, SigmoidRNN) else getattr(layer, "nonlinearity", "tanh")
    ]

    def plain(state: tuple[Tensor, ...], given: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        h = activation(given + F.linear(state[0], u, bias))
        return (h,), h.clone()

    return lstm if isinstance(layer, nn.LSTM) else gru if isinstance(layer, nn.GRU) else plain
