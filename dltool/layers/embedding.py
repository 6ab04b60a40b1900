"""The first layer of every transformer: a vector for each token or row of numbers, and its position."""

import math
from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from dltool.core.errors import DataError
from dltool.layers.attention import KeyValues
from dltool.layers.positions import LearnedPositions, RotaryPositions, SinusoidalPositions

Positions = Literal["learned", "sinusoidal", "rotary"]


class SequenceEmbedding(nn.Module):
    """Tokens through a table, or rows of numbers through a linear map; then their positions and dropout.

    Args:
        dim: D, the width of the output.
        max_length: The number of positions.
        num_tokens: Size of the vocabulary; 0 for rows of numbers.
        row_dim: Numbers in a row, where the inputs are not tokens.
        positions: "learned" or "sinusoidal" vectors are added here; "rotary" ones are applied in the attention.
        scaled: Multiply by √D before the positions are added (Vaswani et al. 2017, section 3.4).
        dropout: Dropout of the sums, in training.
    """

    def __init__(
        self,
        dim: int,
        max_length: int,
        *,
        num_tokens: int = 0,
        row_dim: int = 0,
        positions: Positions = "learned",
        scaled: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.max_length = max_length
        self.factor = math.sqrt(dim) if scaled else 1.0
        self.vectors = nn.Embedding(num_tokens, dim) if num_tokens else nn.Linear(row_dim, dim)
        self.positions: LearnedPositions | SinusoidalPositions | None = None
        if positions == "learned":
            self.positions = LearnedPositions(max_length, dim)
        elif positions == "sinusoidal":
            self.positions = SinusoidalPositions(max_length, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor, start: int = 0) -> Tensor:
        """Embed tokens int64 `(B, T)`, or rows `(B, T, row_dim)`, to `(B, T, D)`; the first is at position `start`.

        Raises:
            DataError: If the inputs extend beyond the last position.
        """
        length = start + inputs.shape[1]
        if length > self.max_length:
            raise DataError(
                f"a sequence of {length} is longer than the model's {self.max_length} positions",
                f"cut it to {self.max_length}, or train a model on data with sequences of that length",
            )
        features = self.vectors(inputs)
        if self.factor != 1.0:
            features = features * self.factor
        if self.positions is not None:
            features = self.positions(features, start)
        return self.dropout(features)


def rotary_positions(positions: Positions, max_length: int, head_dim: int) -> RotaryPositions | None:
    """The rotation of the queries and keys of every block; None unless the positions are rotary."""
    return RotaryPositions(max_length, head_dim) if positions == "rotary" else None


def num_cached(state: Sequence[KeyValues] | None) -> int:
    """The number of positions in a KV cache."""
    return state[0].keys.shape[2] if state else 0


def select_rows(state: Sequence[KeyValues], rows: Tensor) -> tuple[KeyValues, ...]:
    """The KV cache of the given sequences of the batch, in the given order.

    Args:
        state: One entry per block.
        rows: int64, `(N,)`; a row may be repeated.
    """
    return tuple(KeyValues(keys[rows], values[rows]) for keys, values in state)
