"""Attention: the multi-head layer of every transformer, and the explicit form of the lectures, which it equals.

Masks have one convention, that of torch's scaled_dot_product_attention: boolean, True where a query may attend. A
padding mask `(B, S)` is True at the positions of the keys that are not padding. (nn.MultiheadAttention inverts this.)
"""

import math
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.layers.positions import RotaryPositions

Scale = Literal["sqrt", "none"]


class KeyValues(NamedTuple):
    """The keys and values of the positions seen so far, so that the next position need not compute them again.

    Attributes:
        keys, values: `(B, H, S, D / H)`.
    """

    keys: Tensor
    values: Tensor


class MultiHeadAttention(nn.Module):
    """Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.2: h heads of width D / h in parallel, then a linear map.

    One matrix maps the queries of all heads, another the keys and values.

    Args:
        dim: D, the width of the input and the output.
        num_heads: h, which divides D.
        dropout: Share of the attention weights set to zero in training.
        bias: Whether the linear maps have a bias.
        scale: "sqrt" divides the scores by √(D / h), as in equation 1; "none" leaves them, as a first lecture does.
        rotary: Rotates queries and keys by their positions; None leaves them.

    Attributes:
        keeps_weights: Whether forward() keeps its weights in `weights`, for plots; it is slower then.
        weights: `(B, H, T, S)` of the last call, each row summing to 1.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        *,
        dropout: float = 0.0,
        bias: bool = True,
        scale: Scale = "sqrt",
        rotary: RotaryPositions | None = None,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.dropout = dropout
        self.scale = scale_factor(scale, dim // num_heads)
        self.rotary = rotary
        self.query = nn.Linear(dim, dim, bias=bias)
        self.key_value = nn.Linear(dim, 2 * dim, bias=bias)
        self.output = nn.Linear(dim, dim, bias=bias)
        self.keeps_weights = False
        self.weights: Tensor | None = None

    def forward(
        self,
        inputs: Tensor,
        memory: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
        past: KeyValues | None = None,
    ) -> tuple[Tensor, KeyValues]:
        """For each position, the average of the values, weighted by the attention weights.

        Args:
            inputs: `(B, T, D)`, from which the queries are computed.
            memory: `(B, S, D)`, from which keys and values are computed; None means the inputs (self-attention).
            mask: `(B, S)`, True where a key is not padding; with `past`, the earlier positions first. None means all.
            causal: Position t attends to no later position.
            past: Keys and values of the positions before the inputs.

        Returns:
            `(B, T, D)`, and the keys and values, those of `past` first.
        """
        queries = self.heads(self.query(inputs))
        keys, values = map(self.heads, self.key_value(inputs if memory is None else memory).chunk(2, dim=2))
        start = 0 if past is None else past.keys.shape[2]
        if self.rotary is not None:
            queries, keys = self.rotary(queries, start), self.rotary(keys, start)
        if past is not None:
            keys, values = torch.cat((past.keys, keys), dim=2), torch.cat((past.values, values), dim=2)
        dropout = self.dropout if self.training else 0.0
        num_queries, num_keys = queries.shape[2], keys.shape[2]
        # Causal attention alone has kernels of its own, and a single new position attends to all earlier ones.
        is_causal = causal and mask is None and past is None and not self.keeps_weights
        allowed = None
        if not is_causal:
            allowed = allowed_pairs(num_queries, num_keys, mask, causal and num_queries > 1, queries.device)
        if self.keeps_weights:
            mixed, self.weights = attention(queries, keys, values, allowed, self.scale)
        else:
            dropout = self.dropout if self.training else 0.0
            mixed = F.scaled_dot_product_attention(
                queries, keys, values, allowed, dropout_p=dropout, is_causal=is_causal, scale=self.scale
            )
        return self.output(mixed.transpose(1, 2).flatten(2)), KeyValues(keys, values)  # (B, T, H, D / H) -> (B, T, D)

    def heads(self, features: Tensor) -> Tensor:
        """`(B, T, D)` reshaped to `(B, H, T, D / H)`."""
        return features.unflatten(2, (self.num_heads, -1)).transpose(1, 2)


def attention(
    queries: Tensor, keys: Tensor, values: Tensor, allowed: Tensor | None = None, scale: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Attention written out: scores, softmax, weighted sum (Vaswani et al. 2017, equation 1).

    Args:
        queries: `(…, T, D)`.
        keys: `(…, S, D)`.
        values: `(…, S, D)`, one for each key.
        allowed: Boolean, broadcastable to `(…, T, S)`: True where a query may attend to a key. None allows all.
        scale: Factor on the scores: 1/√D in the paper, 1 in a first lecture.

    Returns:
        `(…, T, D)`, and the weights `(…, T, S)`. A query that may attend to no key gets zeros.
    """
    scores = scale * queries @ keys.transpose(-2, -1)  # (…, T, S)
    if allowed is not None:
        scores = scores.masked_fill(~allowed, -math.inf)
    weights = scores.softmax(dim=-1).nan_to_num(0.0)
    return weights @ values, weights


class SelfAttention(nn.Module):
    """Single-head self-attention as in a lecture: q = xW_q, k = xW_k, v = xW_v, y = softmax(scale · qkᵀ) v.

    It has no heads, no output map and no biases. dltool.layers.attention.MultiHeadAttention with one head and an
    identity as its output map gives the same, by test.

    Args:
        dim: D, the width of the input and the output.
        scale: "none" as in the lecture, "sqrt" as in the paper, which keeps the softmax from saturating where D is
            large: the scores of independent q and k have variance D.
    """

    def __init__(self, dim: int, *, scale: Scale = "sqrt") -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(dim, dim, bias=False) for _ in range(3))
        self.scale = scale_factor(scale, dim)

    def forward(self, inputs: Tensor, allowed: Tensor | None = None) -> Tensor:
        """`(B, T, D)` of inputs `(B, T, D)`; `allowed` as in `attention`."""
        return attention(self.query(inputs), self.key(inputs), self.value(inputs), allowed, self.scale)[0]


def scale_factor(scale: Scale, head_dim: int) -> float:
    return 1 / math.sqrt(head_dim) if scale == "sqrt" else 1.0


def allowed_pairs(
    num_queries: int, num_keys: int, mask: Tensor | None, causal: bool, device: torch.device
) -> Tensor | None:
    """Which query may attend to which key, broadcastable to `(B, H, T, S)`; the queries are the last positions.

    Args:
        num_queries: T.
        num_keys: S, at least T where causal.
        mask: Padding, `(B, S)`, or None.
        causal: Query t attends only to the keys up to its own position, t + S - T.
        device: Device of the result.
    """
    allowed = None if mask is None else mask[:, None, None, :]
    if causal:
        past = torch.ones(num_queries, num_keys, dtype=torch.bool, device=device).tril(num_keys - num_queries)
        allowed = past if allowed is None else allowed & past
    return allowed
