"""The transformer's bidirectional encoder: for classes, numbers, tags and masked words."""

from typing import Literal

import torch
from torch import Tensor, nn

from dltool.core.spec import PAD, DataSpec
from dltool.declarations.component import Fraction, Positive, register
from dltool.layers.embedding import SequenceEmbedding, rotary_positions
from dltool.layers.initialize import initialize
from dltool.layers.positions import rotary_positions_need_even_heads, sinusoidal_positions_need_even_dim
from dltool.layers.transformer import BlockSettings, TransformerBlock, heads_divide_dim

EACH_POSITION = ("tags", "next_token")  # Targets with an output at every position.


@register("model", "transformer_encoder", inputs=("sequence", "image"), tasks=("supervised", "tagging", "cloze"))
@heads_divide_dim
@rotary_positions_need_even_heads
@sinusoidal_positions_need_even_dim
class TransformerEncoder(nn.Module):
    """Vaswani et al. 2017 (arXiv:1706.03762), section 3.1, the left half of figure 1, with an output layer on top.

    If the target is one class or a few numbers, the features of all positions are pooled; if it is a tag or a
    word per position, every position has its own output. It reads tokens, rows of numbers, and images row by row.

    Deviations: pre-norm by default, which needs no warm-up (Xiong et al. 2020, arXiv:2002.04745), GELU, and learned
    positions, as in BERT (Devlin et al. 2019, arXiv:1810.04805), whose class token "class" is. Linear maps are
    Xavier-initialized (Glorot and Bengio), tables from N(0, 0.02²) as in BERT; with "sinusoidal" positions the token
    table is N(0, 1/D) and multiplied by √D (section 3.4), so that tokens and sines have the same scale.

    Args:
        dim: D, the width of a position's vector.
        depth: Number of blocks.
        num_heads: Heads of the attention, which divide `dim`.
        hidden_factor: Hidden units of a block's feed-forward network, as a multiple of `dim`.
        activation: Of those units.
        positions: "learned", "sinusoidal" (both added to the inputs) or "rotary" (rotates queries and keys).
        norm: "pre", before each sub-layer and once after the last, or "post", after each residual sum.
        pooling: The output layer's input for a whole sequence: the "mean" or the "max" (of each feature) over its
            positions without padding, or a "class" token before the first. No effect on tags and words.
        dropout: Of the vectors with their positions, the attention weights and each sub-layer's output, in training.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        dim: Positive[int] = 128,
        depth: Positive[int] = 2,
        num_heads: Positive[int] = 4,
        hidden_factor: Positive[int] = 4,
        activation: Literal["relu", "gelu"] = "gelu",
        positions: Literal["learned", "sinusoidal", "rotary"] = "learned",
        norm: Literal["pre", "post"] = "pre",
        pooling: Literal["mean", "max", "class"] = "mean",
        dropout: Fraction[float] = 0.1,
    ) -> None:
        super().__init__()
        self.pads = spec.padded and spec.num_tokens > 0
        self.pooling = "none" if spec.target in EACH_POSITION else pooling
        length, row_dim = length_and_row(spec)
        scaled = positions == "sinusoidal" and spec.num_tokens > 0
        has_class = self.pooling == "class"
        self.class_token = nn.Parameter(torch.zeros(dim)) if has_class else None
        self.embedding = SequenceEmbedding(
            dim,
            length,
            num_tokens=spec.num_tokens,
            row_dim=row_dim,
            positions=positions,
            scaled=scaled,
            dropout=dropout,
        )
        settings = BlockSettings(dim, num_heads, hidden_factor * dim, activation, norm, dropout)
        rotary = rotary_positions(positions, length + has_class, dim // num_heads)
        self.blocks = nn.ModuleList(TransformerBlock(settings, rotary=rotary) for _ in range(depth))
        self.norm = nn.LayerNorm(dim) if norm == "pre" else nn.Identity()
        self.head = nn.Linear(dim, spec.output_dim)
        initialize(self, "xavier_uniform")
        if isinstance(self.embedding.vectors, nn.Embedding):
            nn.init.normal_(self.embedding.vectors.weight, std=dim**-0.5 if scaled else 0.02)

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs `(B, output_dim)`, or `(B, T, output_dim)` for tags and words.

        Args:
            inputs: int64 `(B, T)`, float32 `(B, T, D)`, or images `(B, C, H, W)`.
        """
        mask = inputs != PAD if self.pads else None
        if inputs.ndim == 4:
            inputs = inputs.transpose(1, 2).flatten(2)  # (B, C, H, W) -> (B, H, C·W)
        features = self.embedding(inputs)
        if self.class_token is not None:
            features = torch.cat((self.class_token.expand(features.shape[0], 1, -1), features), dim=1)  # (B, 1 + T, D)
            if mask is not None:
                mask = torch.cat((mask.new_ones(mask.shape[0], 1), mask), dim=1)
        for block in self.blocks:
            features, _ = block(features, mask=mask)
        features = self.norm(features)
        if self.pooling == "class":
            features = features[:, 0]
        elif self.pooling != "none":
            features = pooled(features, mask, self.pooling)
        return self.head(features)


def length_and_row(spec: DataSpec) -> tuple[int, int]:
    """Positions of the longest input, and the numbers at each (0 for tokens)."""
    if spec.num_tokens:
        return spec.input_shape[0], 0
    if len(spec.input_shape) == 3:
        channels, height, width = spec.input_shape
        return height, channels * width
    return spec.input_shape[0], spec.input_shape[1]


def pooled(features: Tensor, mask: Tensor | None, how: str) -> Tensor:
    """The "mean" or "max" `(B, D)` of features `(B, T, D)` over the positions where mask `(B, T)` is True."""
    if how == "max":
        return (features if mask is None else features.masked_fill(~mask[:, :, None], -torch.inf)).amax(dim=1)
    if mask is None:
        return features.mean(dim=1)
    weights = mask[:, :, None].to(features.dtype)
    return (features * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)
