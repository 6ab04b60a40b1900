"""The block of every transformer: self-attention, optional attention to a memory, and a feed-forward network."""

from typing import Literal, NamedTuple

from torch import Tensor, nn

from dltool.declarations.component import requires
from dltool.layers.activation import activation
from dltool.layers.attention import KeyValues, MultiHeadAttention, Scale
from dltool.layers.positions import RotaryPositions

Norm = Literal["pre", "post"]


heads_divide_dim = requires(
    lambda config: config.model.dim % config.model.num_heads == 0,
    "model.num_heads does not divide model.dim",
    hint="model.dim=128 model.num_heads=4",
)


class BlockSettings(NamedTuple):
    """The settings that all blocks of a transformer share; see TransformerBlock."""

    dim: int
    num_heads: int
    hidden_dim: int
    activation: str = "relu"
    norm: Norm = "post"
    dropout: float = 0.0
    bias: bool = True
    scale: Scale = "sqrt"


class TransformerBlock(nn.Module):
    """Vaswani et al. 2017 (arXiv:1706.03762), section 3.1: sub-layers, each with a residual sum and a layer norm.

    "post" is the paper's LayerNorm(x + Sublayer(x)); "pre" is x + Sublayer(LayerNorm(x)), which trains without a
    warm-up (Xiong et al. 2020, arXiv:2002.04745) and needs one more norm after the last block. Dropout is applied to
    the output of each sub-layer (section 5.4) and, beyond the paper, to the attention weights.

    Args:
        settings: `dim` is D; `hidden_dim` the width of the feed-forward network's hidden layer; `bias` whether linear
            maps and norms have a bias.
        rotary: Rotates queries and keys of the self-attention; None if positions are added to the inputs.
        cross_attention: Attend to a memory too, after the self-attention: a decoder's block.
    """

    def __init__(
        self, settings: BlockSettings, *, rotary: RotaryPositions | None = None, cross_attention: bool = False
    ) -> None:
        super().__init__()
        dim, bias = settings.dim, settings.bias
        self.pre_norm = settings.norm == "pre"

        def attention(rotary: RotaryPositions | None) -> MultiHeadAttention:
            return MultiHeadAttention(
                dim,
                settings.num_heads,
                dropout=settings.dropout,
                bias=bias,
                scale=settings.scale,
                rotary=rotary,
            )

        self.self_attention = attention(rotary)
        self.self_attention_norm = nn.LayerNorm(dim, bias=bias)
        self.cross_attention = attention(None) if cross_attention else None
        self.cross_attention_norm = nn.LayerNorm(dim, bias=bias) if cross_attention else None
        self.feed_forward = nn.Sequential(
            nn.Linear(dim, settings.hidden_dim, bias=bias),
            activation(settings.activation),
            nn.Linear(settings.hidden_dim, dim, bias=bias),
        )
        self.feed_forward_norm = nn.LayerNorm(dim, bias=bias)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(
        self,
        inputs: Tensor,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
        past: KeyValues | None = None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
    ) -> tuple[Tensor, KeyValues]:
        """Features `(B, T, D)` for inputs `(B, T, D)`, and the keys and values of the self-attention.

        Args:
            inputs: D numbers per position.
            mask: `(B, T)`, or with `past` `(B, S + T)`: True where a position is not padding; None means everywhere.
            causal: Position t attends to no later position.
            past: Keys and values of the S positions before the inputs.
            memory: `(B, U, D)`, the encoder's output that a decoder's block attends to.
            memory_mask: `(B, U)`, True where the memory is not padding.
        """
        features = self.self_attention_norm(inputs) if self.pre_norm else inputs
        attended, present = self.self_attention(features, mask=mask, causal=causal, past=past)
        features = inputs + self.dropout(attended)
        if not self.pre_norm:
            features = self.self_attention_norm(features)
        if self.cross_attention is not None and self.cross_attention_norm is not None:
            queries = self.cross_attention_norm(features) if self.pre_norm else features
            features = features + self.dropout(self.cross_attention(queries, memory, mask=memory_mask)[0])
            if not self.pre_norm:
                features = self.cross_attention_norm(features)
        if self.pre_norm:
            return features + self.dropout(self.feed_forward(self.feed_forward_norm(features))), present
        return self.feed_forward_norm(features + self.dropout(self.feed_forward(features))), present
