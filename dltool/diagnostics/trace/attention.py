"""Attention at one position by its formula, beside the layer.

For each head, with d = D / h and the inputs x: q = W_q x_t + b_q, k_s = W_k x_s + b_k, v_s = W_v x_s + b_v; rotary
positions rotate q by the angles of t and k_s by those of s. Then

    a_s = exp(q·k_s / √d) / Σ exp(q·k_s / √d)  over the keys s that the mask allows,    y = W_o (Σ a_s v_s) + b_o

with the sums Σ a_s v_s of all heads one after the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from dltool.core.errors import ConfigError
from dltool.diagnostics.trace.calls import Call, Choice
from dltool.layers.attention import MultiHeadAttention
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.layers.positions import LearnedPositions, RotaryPositions, SinusoidalPositions


@dataclass
class AttentionTrace:
    """One query of an attention layer with all keys.

    Attributes:
        name: The layer's path.
        position: t, that of the query.
        head: The head that is printed.
        scale: The factor of q·k, 1/√d.
        rotated: Whether the positions are rotary.
        queries_before: `(h, d)`, before the rotation.
        queries, keys, values: `(h, d)`, `(h, S, d)`, `(h, S, d)`.
        products, scores: q·k and q·k times `scale`, `(h, S)`, without the mask.
        allowed: `(S,)`, True where the query may attend.
        weights: a, `(h, S)`.
        mixed: Σ a·v, `(h, d)`.
        output: y of the layer without dropout, `(D,)`.
        error: The largest difference of y by the formula to it.
    """

    what: ClassVar[str] = "attention"
    name: str
    position: int
    head: int
    scale: float
    rotated: bool
    queries_before: Tensor
    queries: Tensor
    keys: Tensor
    values: Tensor
    products: Tensor
    scores: Tensor
    allowed: Tensor
    weights: Tensor
    mixed: Tensor
    output: Tensor
    error: float


@dataclass
class PositionsTrace:
    """The vector of a position, which is added to that of the token.

    Attributes:
        name: The layer's path.
        position: t.
        inputs, vector, output: x_t, p_t and x_t + p_t, `(D,)`.
        error: The largest difference of x_t + p_t to the layer's output.
    """

    what: ClassVar[str] = "positions"
    name: str
    position: int
    inputs: Tensor
    vector: Tensor
    output: Tensor
    error: float


@torch.no_grad()
def attention_trace(call: Call, choice: Choice) -> AttentionTrace:
    """Compute the chosen query of the first sample of a call of a MultiHeadAttention.

    Raises:
        ConfigError: There is no such position or head.
    """
    module = call.module
    assert isinstance(module, MultiHeadAttention)
    inputs, memory, mask, causal = arguments(*call.args, **call.kwargs)
    t, head = chosen_position(call.name, choice, len(inputs), mask), choice.head or 0
    if head >= module.num_heads:
        raise ConfigError(
            f"--head {head}: {call.name} has {module.num_heads} heads", f"--head {module.num_heads - 1} is the last"
        )
    weight, bias = module.key_value.weight.chunk(2), halves(module.key_value.bias)
    query = by_head(affine(module.query.weight, module.query.bias, inputs[t : t + 1]), module.num_heads)
    key, value = (by_head(affine(w, b, memory), module.num_heads) for w, b in zip(weight, bias, strict=True))
    before, query = query[:, 0], rotated(module.rotary, query, torch.tensor([t]))[:, 0]
    key = rotated(module.rotary, key, torch.arange(len(memory)))
    products = (key * query[:, None]).sum(2)
    scores = module.scale * products
    allowed = torch.ones(len(memory), dtype=torch.bool, device=memory.device) if mask is None else mask.clone()
    if causal:
        allowed &= torch.arange(len(memory), device=memory.device) <= t
    exponentials = (scores - scores[:, allowed].amax(1, keepdim=True)).exp() * allowed
    weights = exponentials / exponentials.sum(1, keepdim=True)
    mixed = (weights[:, :, None] * value).sum(1)
    with evaluation_mode(module):
        output = module(*call.args, **call.kwargs)[0][0, t]
    by_hand = affine(module.output.weight, module.output.bias, mixed.flatten()[None])[0]
    return AttentionTrace(
        name=call.name,
        position=t,
        head=head,
        scale=module.scale,
        rotated=module.rotary is not None,
        queries_before=before,
        queries=query,
        keys=key,
        values=value,
        products=products,
        scores=scores,
        allowed=allowed,
        weights=weights,
        mixed=mixed,
        output=output,
        error=float((by_hand - output).abs().max()),
    )


def arguments(
    inputs: Tensor, memory: Tensor | None = None, *, mask: Tensor | None = None, causal: bool = False, past: None = None
) -> tuple[Tensor, Tensor, Tensor | None, bool]:
    """Inputs `(T, D)`, memory `(S, D)`, mask `(S,)` of the first sample, and `causal`."""
    assert past is None  # A training step reads whole sequences.
    return inputs[0], (inputs if memory is None else memory)[0], None if mask is None else mask[0], causal


def chosen_position(name: str, choice: Choice, length: int, mask: Tensor | None = None) -> int:
    """The chosen position; by default the last one that is not padding.

    Raises:
        ConfigError: The sequence has no such position.
    """
    if choice.position is None:
        is_of_queries = mask is not None and len(mask) == length and bool(mask.any())
        return int(mask.nonzero()[-1]) if is_of_queries and mask is not None else length - 1
    if choice.position >= length:
        raise ConfigError(
            f"--position {choice.position}: the sequence at {name} has {length} positions",
            f"--position {length - 1} is the last",
        )
    return choice.position


def affine(weight: Tensor, bias: Tensor | None, inputs: Tensor) -> Tensor:
    """W x + b for rows x, `(N, D)`."""
    outputs = inputs @ weight.T
    return outputs if bias is None else outputs + bias


def halves(bias: Tensor | None) -> Sequence[Tensor | None]:
    """The biases of keys and values."""
    return (None, None) if bias is None else bias.chunk(2)


def by_head(features: Tensor, num_heads: int) -> Tensor:
    """`(S, D)` as `(h, S, d)`."""
    return torch.stack(features.chunk(num_heads, dim=1))


def rotated(rotary: RotaryPositions | None, features: Tensor, positions: Tensor) -> Tensor:
    """Pairs (x_i, x_{i+d/2}) of `(h, S, d)` rotated by the angle θ of position and pair; unchanged without rotation.

    (x_i cos θ - x_{i+d/2} sin θ,  x_{i+d/2} cos θ + x_i sin θ), with θ = t · 10000^(-2i/d).
    """
    if rotary is None:
        return features
    cosines, sines = rotary.cosines[positions], rotary.sines[positions]
    half = features.shape[2] // 2
    x, y = features[:, :, :half], features[:, :, half:]
    return torch.cat([x * cosines - y * sines, y * cosines + x * sines], dim=2)


@torch.no_grad()
def positions_trace(call: Call, choice: Choice) -> PositionsTrace:
    """The chosen position of the first sample of a call of LearnedPositions or SinusoidalPositions.

    Raises:
        ConfigError: There is no such position.
    """
    module = call.module
    assert isinstance(module, LearnedPositions | SinusoidalPositions)
    features = call.args[0][0]
    t = chosen_position(call.name, choice, len(features))
    vector = module.table[t].detach()
    output = module(*call.args, **call.kwargs)[0, t]
    return PositionsTrace(call.name, t, features[t], vector, output, float((features[t] + vector - output).abs().max()))
