"""LSTM and GRU written out step by step, with every gate.

For inputs x_t and states h_t, with the logistic function σ and the componentwise product ∘:

    LSTM:  i, f, o = σ(W x_t + b + U h_{t-1} + b'),  c̃ = tanh(W x_t + b + U h_{t-1} + b')   each with its own weights
           c_t = f ∘ c_{t-1} + i ∘ c̃,   h_t = o ∘ tanh(c_t)
    GRU:   r, z = σ(W x_t + b + U h_{t-1} + b'),  n = tanh(W x_t + b + r ∘ (U h_{t-1} + b'))
           h_t = (1 - z) ∘ n + z ∘ h_{t-1}

Along the direct path ∂c_T/∂c_t = ∏ f of the steps t+1 … T for an LSTM, ∂h_T/∂h_t = ∏ z for a GRU.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Unrolled:
    """One layer in one direction over one sequence.

    Attributes:
        layer: Its number in the module, from 0.
        gates: "i", "f", "o", "c̃", "c", "h" of an LSTM, "r", "z", "n", "h" of a GRU, each `(T, H)`.
        sums: What σ or tanh are applied to, of the gates and the candidate, each `(T, H)`.
        carry: The name of the gate whose product is the direct path of the gradient.
    """

    layer: int
    gates: dict[str, Tensor]
    sums: dict[str, Tensor]
    carry: str

    def direct_path(self) -> Tensor:
        """The derivative of the last state by that of each step along the direct path, `(T, H)`; 1 at the last one."""
        later = self.gates[self.carry][1:].flip(0).cumprod(0).flip(0)
        return torch.cat([later, torch.ones_like(later[:1] if len(later) else self.gates[self.carry])])


@torch.no_grad()
def unrolled(module: nn.LSTM | nn.GRU, inputs: Tensor, state: Sequence[Tensor] | None = None) -> list[Unrolled]:
    """Compute the layers of a module that reads forwards, without dropout.

    Args:
        module: Neither bidirectional nor with projected states.
        inputs: `(T, D)`.
        state: h, or h and c, each `(L, H)`; None for zeros.
    """
    step, found = lstm_step if isinstance(module, nn.LSTM) else gru_step, []
    for layer in range(module.num_layers):
        w, u, b, b_hidden = (
            getattr(module, f"{name}_l{layer}", inputs.new_zeros(()))
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        parts = [inputs.new_zeros(module.hidden_size)] * 2 if state is None else [part[layer] for part in state]
        rows = []
        for x in inputs:
            gates, sums = step(w @ x + b, u, b_hidden, *parts)
            rows.append((gates, sums))
            parts = [gates["h"], gates.get("c", gates["h"])]
        gates, sums = ({name: torch.stack([row[k][name] for row in rows]) for name in rows[0][k]} for k in (0, 1))
        found.append(Unrolled(layer, gates, sums, "f" if isinstance(module, nn.LSTM) else "z"))
        inputs = gates["h"]
    return found


Gates = dict[str, Tensor]


def lstm_step(given: Tensor, u: Tensor, bias: Tensor, h: Tensor, c: Tensor) -> tuple[Gates, Gates]:
    """Gates and sums of one step of an LSTM; `given` is W x + b, and torch's order is i, f, c̃, o."""
    i, f, g, o = (given + u @ h + bias).chunk(4)
    gates = {"i": i.sigmoid(), "f": f.sigmoid(), "o": o.sigmoid(), "c̃": g.tanh()}
    c = gates["f"] * c + gates["i"] * gates["c̃"]
    return gates | {"c": c, "h": gates["o"] * c.tanh()}, {"i": i, "f": f, "o": o, "c̃": g}


def gru_step(given: Tensor, u: Tensor, bias: Tensor, h: Tensor, _: Tensor | None = None) -> tuple[Gates, Gates]:
    """Gates and sums of one step of a GRU; torch's order is r, z, n."""
    (r, z, n), (r_hidden, z_hidden, n_hidden) = given.chunk(3), (u @ h + bias).chunk(3)
    sums = {"r": r + r_hidden, "z": z + z_hidden}
    gates = {name: value.sigmoid() for name, value in sums.items()}
    sums["n"] = n + gates["r"] * n_hidden
    gates["n"] = sums["n"].tanh()
    return gates | {"h": (1 - gates["z"]) * gates["n"] + gates["z"] * h}, sums
