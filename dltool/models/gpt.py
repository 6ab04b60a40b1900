"""GPT: a transformer that reads from left to right and predicts the next token."""

import math
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.declarations.component import Fraction, Positive, register
from dltool.layers.attention import KeyValues
from dltool.layers.embedding import SequenceEmbedding, num_cached, rotary_positions, select_rows
from dltool.layers.positions import rotary_positions_need_even_heads, sinusoidal_positions_need_even_dim
from dltool.layers.transformer import BlockSettings, TransformerBlock, heads_divide_dim

INITIAL_STD = 0.02


@register("model", "gpt", inputs="sequence", tasks=("language_model",))
@heads_divide_dim
@rotary_positions_need_even_heads
@sinusoidal_positions_need_even_dim
class Gpt(nn.Module):
    """The decoder-only transformer of GPT-2 (Radford et al. 2019): pre-norm blocks, GELU, learned positions.

    The defaults are nanoGPT's for characters on a CPU: no biases, the output layer tied to the token table. Weights
    are initialized from N(0, 0.02²), those of the two linear maps before the residual sum from N(0, 0.02² / 2L) for L
    blocks (GPT-2, section 2.3), biases to 0. Deviations: GELU is exact, as in nanoGPT, where GPT-2 approximates it by
    tanh; with "sinusoidal" positions the vectors of tokens are multiplied by √D (Vaswani et al. 2017, section 3.4),
    since the sines are fifty times larger.

    Sequences are right-padded, if at all, where no earlier position attends: no mask is needed, and the outputs at
    padding are to be ignored. The number of positions is the length of the data's longest sequence.

    Args:
        dim: D, the width of a token's vector.
        depth: L, the number of blocks.
        num_heads: Heads of the attention, which divide `dim`.
        hidden_factor: Hidden units of a block's feed-forward network, as a multiple of `dim`.
        positions: "learned", "sinusoidal" (both added to the inputs) or "rotary" (rotates queries and keys).
        norm: "pre", before each sub-layer and once after the last, or "post", after each residual sum.
        bias: Whether linear maps and norms have a bias; the output layer never has.
        tied: The output layer is the token table (Press and Wolf 2017, arXiv:1608.05859).
        dropout: Of the vectors with their positions, the attention weights and each sub-layer's output, in training.

    Attributes:
        max_length: Maximum number of positions.
    """

    carries_state = False  # A training batch does not continue the previous one.

    def __init__(
        self,
        spec: DataSpec,
        *,
        dim: Positive[int] = 128,
        depth: Positive[int] = 4,
        num_heads: Positive[int] = 4,
        hidden_factor: Positive[int] = 4,
        positions: Literal["learned", "sinusoidal", "rotary"] = "learned",
        norm: Literal["pre", "post"] = "pre",
        bias: bool = False,
        tied: bool = True,
        dropout: Fraction[float] = 0.0,
    ) -> None:
        super().__init__()
        if not spec.num_tokens:
            raise ConfigError("model=gpt reads tokens, but the data gives numbers", "model=transformer_encoder")
        if tied and spec.num_tokens != spec.output_dim:
            raise ConfigError(
                f"model.tied=true: the {spec.num_tokens} input and {spec.output_dim} output tokens differ",
                "model.tied=false",
            )
        self.max_length: int | None = spec.input_shape[0]
        self.embedding = SequenceEmbedding(
            dim,
            spec.input_shape[0],
            num_tokens=spec.num_tokens,
            positions=positions,
            scaled=positions == "sinusoidal",
            dropout=dropout,
        )
        settings = BlockSettings(dim, num_heads, hidden_factor * dim, "gelu", norm, dropout, bias)
        rotary = rotary_positions(positions, spec.input_shape[0], dim // num_heads)
        self.blocks = nn.ModuleList(TransformerBlock(settings, rotary=rotary) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, bias=bias) if norm == "pre" else nn.Identity()
        self.head = None if tied else nn.Linear(dim, spec.output_dim, bias=False)
        initialize_gpt(self)

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores of the next token at each position, `(B, T, V)`, for tokens int64 `(B, T)`."""
        return self.advance(tokens)[0]

    def advance(
        self, tokens: Tensor, state: tuple[KeyValues, ...] | None = None
    ) -> tuple[Tensor, tuple[KeyValues, ...]]:
        """Scores of the next token after each of `tokens` `(B, T)`, which continue the tokens of `state`.

        Args:
            tokens: int64.
            state: The KV cache, one entry per block; None at the beginning.

        Returns:
            Scores `(B, T, V)`, and the cache extended by these tokens.

        Raises:
            DataError: If the tokens, with those of the state, are more than `max_length`.
        """
        features = self.embedding(tokens, num_cached(state))
        seen = []
        for i, block in enumerate(self.blocks):
            features, present = block(features, causal=True, past=state[i] if state else None)
            seen.append(present)
        features = self.norm(features)
        scores = F.linear(features, self.embedding.vectors.weight) if self.head is None else self.head(features)
        return scores, tuple(seen)

    def select(self, state: tuple[KeyValues, ...], rows: Tensor) -> tuple[KeyValues, ...]:
        """The state of the given sequences of the batch, rows int64 `(N,)`."""
        return select_rows(state, rows)


def initialize_gpt(model: Gpt) -> None:
    """Initialize the weights as GPT-2; see Gpt. Learned positions and norms are initialized so already."""
    for name, module in model.named_modules():
        if isinstance(module, (nn.Linear, nn.Embedding)):
            adds_to_residual = name.endswith(("self_attention.output", "feed_forward.2"))
            std = INITIAL_STD / math.sqrt(2 * len(model.blocks)) if adds_to_residual else INITIAL_STD
            nn.init.normal_(module.weight, std=std)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
