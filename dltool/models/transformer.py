"""The transformer: an encoder reads one sequence, a decoder writes another."""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.errors import ConfigError
from dltool.core.spec import PAD, DataSpec
from dltool.declarations.component import Fraction, Positive, register
from dltool.layers.attention import KeyValues
from dltool.layers.embedding import SequenceEmbedding, num_cached, select_rows
from dltool.layers.initialize import initialize
from dltool.layers.positions import sinusoidal_positions_need_even_dim
from dltool.layers.transformer import BlockSettings, TransformerBlock, heads_divide_dim


class Memory(NamedTuple):
    """The encoder's output for the source.

    Attributes:
        features: `(B, S, D)`.
        mask: `(B, S)`, True where the source is not padding.
    """

    features: Tensor
    mask: Tensor


@register("model", "transformer", inputs="sequence", tasks=("translation",))
@heads_divide_dim
@sinusoidal_positions_need_even_dim
class Transformer(nn.Module):
    """Vaswani et al. 2017 (arXiv:1706.03762): encoder and decoder of blocks, embeddings times √D (section 3.4).

    The defaults are the size of a common recipe for Multi30k: 3 + 3 blocks of 256, learned positions; that recipe
    itself has norm=post and Adam at a constant 5e-4. The paper's base model is dim=512 depth=6 hidden_dim=2048
    positions=sinusoidal norm=post embeddings=shared, with the schedule inverse_sqrt. Every matrix, the tables of
    tokens and positions included, is Xavier-uniform (Glorot and Bengio), as in that recipe; the paper does not say.

    Deviations: the norms are before the sub-layers, with one more after each stack, unless norm=post: at Adam's
    constant 5e-4 and after 200 batches of 64, pre-norm wrote 86 % of unseen numbers below a million in words without
    error, norm=post 2 %. Dropout is on the attention weights too, as in the authors' code. The keys and values of
    the memory are recomputed at every step of decoding, those of earlier words are cached.

    Args:
        dim: D, the width of a token's vector.
        depth: Blocks of the encoder, and as many of the decoder.
        num_heads: Heads of the attention, which divide `dim`.
        hidden_dim: Hidden units of a block's feed-forward network.
        activation: Of those units.
        positions: "learned", or "sinusoidal" as in the paper, which found them equally good (table 3, row E).
        norm: "pre", which trains without a warm-up (Xiong et al. 2020, arXiv:2002.04745), or "post" as in the paper.
        embeddings: "separate" has tables for source and target and an output layer; in "tied" the output layer is the
            target's table; in "shared" all three are one, as in the paper, which needs one vocabulary.
        dropout: Of the vectors with their positions, the attention weights and each sub-layer's output, in training.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        dim: Positive[int] = 256,
        depth: Positive[int] = 3,
        num_heads: Positive[int] = 8,
        hidden_dim: Positive[int] = 512,
        activation: Literal["relu", "gelu"] = "relu",
        positions: Literal["learned", "sinusoidal"] = "learned",
        norm: Literal["pre", "post"] = "pre",
        embeddings: Literal["separate", "tied", "shared"] = "separate",
        dropout: Fraction[float] = 0.1,
    ) -> None:
        super().__init__()
        if embeddings == "shared" and spec.num_tokens != spec.output_dim:
            raise ConfigError(
                f"model.embeddings=shared needs one vocabulary, but the source has {spec.num_tokens} tokens and the "
                f"target {spec.output_dim}",
                "model.embeddings=tied",
            )
        self.source_embedding = SequenceEmbedding(
            dim,
            spec.input_shape[0],
            num_tokens=spec.num_tokens,
            row_dim=0 if spec.num_tokens else spec.input_shape[1],
            positions=positions,
            scaled=spec.num_tokens > 0,
            dropout=dropout,
        )
        self.target_embedding = SequenceEmbedding(
            dim, spec.max_target_length, num_tokens=spec.output_dim, positions=positions, scaled=True, dropout=dropout
        )
        self.pads = spec.padded and spec.num_tokens > 0
        settings = BlockSettings(dim, num_heads, hidden_dim, activation, norm, dropout)
        self.encoder = nn.ModuleList(TransformerBlock(settings) for _ in range(depth))
        self.decoder = nn.ModuleList(TransformerBlock(settings, cross_attention=True) for _ in range(depth))
        self.encoder_norm = nn.LayerNorm(dim) if norm == "pre" else nn.Identity()
        self.decoder_norm = nn.LayerNorm(dim) if norm == "pre" else nn.Identity()
        self.head = nn.Linear(dim, spec.output_dim) if embeddings == "separate" else None
        if embeddings == "shared":
            self.source_embedding.vectors = self.target_embedding.vectors
        initialize(self, "xavier_uniform")
        for embedding in (self.source_embedding, self.target_embedding):
            for table in embedding.parameters():
                if table.ndim == 2:
                    nn.init.xavier_uniform_(table)

    def forward(self, source: Tensor, target_inputs: Tensor) -> Tensor:
        """Scores of the next word after each word of the target, `(B, U, V)`.

        Args:
            source: int64 `(B, S)`, or float32 rows `(B, S, D)`.
            target_inputs: int64 `(B, U)`, starting with BEGIN, right-padded.
        """
        return self.decode(target_inputs, self.encode(source))[0]

    def encode(self, source: Tensor) -> Memory:
        """Encode a source, as in forward(), for the decoder.

        Raises:
            DataError: If the source is longer than the number of positions.
        """
        features = self.source_embedding(source)
        mask = source != PAD if self.pads else None
        for block in self.encoder:
            features, _ = block(features, mask=mask)
        everywhere = features.new_ones(features.shape[:2], dtype=torch.bool) if mask is None else mask
        return Memory(self.encoder_norm(features), everywhere)

    def decode(
        self, target_tokens: Tensor, memory: Memory, state: tuple[KeyValues, ...] | None = None
    ) -> tuple[Tensor, tuple[KeyValues, ...]]:
        """Scores of the next word after each of the words, which continue those of `state`.

        Args:
            target_tokens: int64 `(B, U)`.
            memory: See encode().
            state: The KV cache, one entry per block; None at the beginning.

        Returns:
            Scores `(B, U, V)`, and the cache extended by these words.

        Raises:
            DataError: If the words, with those of the state, are more than the number of positions.
        """
        features = self.target_embedding(target_tokens, num_cached(state))
        mask = memory.mask if self.pads else None
        seen = []
        for i, block in enumerate(self.decoder):
            past = state[i] if state else None
            features, present = block(features, causal=True, past=past, memory=memory.features, memory_mask=mask)
            seen.append(present)
        features = self.decoder_norm(features)
        if self.head is None:
            return F.linear(features, self.target_embedding.vectors.weight), tuple(seen)
        return self.head(features), tuple(seen)

    def select(self, state: tuple[KeyValues, ...], rows: Tensor) -> tuple[KeyValues, ...]:
        """The state of the given sequences of the batch, rows int64 `(N,)`."""
        return select_rows(state, rows)

    def select_memory(self, memory: Memory, rows: Tensor) -> Memory:
        """The memory of the given sequences of the batch, rows int64 `(N,)`."""
        return Memory(memory.features[rows], memory.mask[rows])
