"""The inputs of a recurrent network: tokens, rows of numbers, or an image row by row."""

import torch
from torch import Tensor, nn

from dltool.core.errors import ConfigError
from dltool.core.spec import PAD, UNKNOWN, DataSpec


class SequenceInputs(nn.Module):
    """Converts the data's inputs to a sequence of vectors.

    Each token of `(B, T)` gets a learned vector, with dropout; rows of numbers `(B, T, D)` are unchanged; an
    image `(B, C, H, W)` is read from its top row to its bottom row, `(B, H, C · W)`.

    Args:
        spec: Of the data.
        embedding_dim: Width of a token's vector.
        std: Standard deviation of a token's initial vector, which is normal; that of padding is zero.
        dropout: Share of a vector's components set to zero in training.
        word_dropout: Probability that a token is replaced by UNKNOWN in training, so that the model learns to handle
            words that it has not seen (Iyyer et al. 2015 drop them whole).

    Attributes:
        output_dim: Width of the vectors.
        embedding: None where the inputs are not tokens.

    Raises:
        ConfigError: If tokens are to be replaced by UNKNOWN and the vocabulary has none.
    """

    def __init__(
        self, spec: DataSpec, embedding_dim: int, *, std: float = 1.0, dropout: float = 0.0, word_dropout: float = 0.0
    ) -> None:
        super().__init__()
        check_word_dropout(spec, word_dropout)
        self.padded = spec.padded
        self.word_dropout = word_dropout
        self.embedding = None
        self.dropout = nn.Dropout(dropout)
        if spec.num_tokens:
            self.embedding = nn.Embedding(spec.num_tokens, embedding_dim, padding_idx=PAD if spec.padded else None)
            with torch.no_grad():
                self.embedding.weight *= std
            self.output_dim = embedding_dim
        elif len(spec.input_shape) == 3:
            self.output_dim = spec.input_shape[0] * spec.input_shape[2]
        else:
            self.output_dim = spec.input_shape[-1]

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Vectors `(B, T, D)`, and the mask `(B, T)`: True where a position is not padding; None means everywhere."""
        if self.embedding is None:
            if inputs.ndim == 4:
                inputs = inputs.transpose(1, 2).flatten(2)  # (B, C, H, W) -> (B, H, C * W)
            return inputs, None
        mask = inputs != PAD if self.padded else None
        if mask is not None:
            mask[:, 0] = True  # An empty sequence counts as a single <pad>.
        if self.training and self.word_dropout and mask is not None:
            dropped = torch.rand(inputs.shape, device=inputs.device) < self.word_dropout
            inputs = inputs.masked_fill(dropped & mask, UNKNOWN)
        return self.dropout(self.embedding(inputs)), mask


def check_word_dropout(spec: DataSpec, word_dropout: float) -> None:
    """Raise ConfigError if words are to be replaced by UNKNOWN and the vocabulary has none."""
    if word_dropout and not (spec.num_tokens and spec.padded):
        inputs = "a stream of tokens, which has no <unk>" if spec.num_tokens else "no tokens"
        raise ConfigError(
            f"model.word_dropout={word_dropout} replaces words by <unk>, but the data gives {inputs}",
            "model.word_dropout=0",
        )
