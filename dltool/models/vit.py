"""The vision transformer: an image as a sequence of patches."""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import Fraction, Positive, register
from dltool.layers.initialize import initialize
from dltool.layers.positions import LearnedPositions
from dltool.layers.transformer import BlockSettings, TransformerBlock, heads_divide_dim


@register("model", "vit", inputs="image", min_size=16, native_size=32, photo_size=224, tasks=("supervised",))
@heads_divide_dim
class VisionTransformer(nn.Module):
    """Dosovitskiy et al. 2021 (arXiv:2010.11929), section 3.1: pre-norm blocks over patches and a class token.

    Deviations: much smaller by default, for images of 32×32 in patches of 4×4 on a CPU (ViT-B/16 is patch=16
    dim=768 depth=12 num_heads=12); images whose sides are not multiples of the patch are zero-padded on the right
    and below. Weights are initialized as in the authors' code: linear maps Xavier, the output layer to zero.

    Args:
        patch: Side of a patch in pixels. "auto" is 4 for images below 64 pixels, 8 below 128, else 16.
        dim: D, the width of a patch's vector.
        depth: Number of blocks.
        num_heads: Heads of the attention, which divide `dim`.
        hidden_factor: Hidden units of a block's feed-forward network, as a multiple of `dim`.
        dropout: Of the vectors with their positions, the attention weights and each sub-layer's output, in training.
        pooling: The output layer's input: the "class" token, or the "mean" over the patches, without such a token.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        patch: Positive[int] | Literal["auto"] = "auto",
        dim: Positive[int] = 64,
        depth: Positive[int] = 4,
        num_heads: Positive[int] = 4,
        hidden_factor: Positive[int] = 4,
        dropout: Fraction[float] = 0.0,
        pooling: Literal["class", "mean"] = "class",
    ) -> None:
        super().__init__()
        channels, height, width = spec.input_shape
        self.choices = {}
        if patch == "auto":
            side = min(height, width)
            patch = self.choices["patch"] = 4 if side < 64 else 8 if side < 128 else 16
        self.patch = patch
        num_patches = math.ceil(height / patch) * math.ceil(width / patch)
        self.embedding = nn.Conv2d(channels, dim, patch, stride=patch)
        self.class_token = nn.Parameter(torch.zeros(dim)) if pooling == "class" else None
        self.positions = LearnedPositions(num_patches + (pooling == "class"), dim)
        self.dropout = nn.Dropout(dropout)
        settings = BlockSettings(dim, num_heads, hidden_factor * dim, "gelu", "pre", dropout)
        self.blocks = nn.ModuleList(TransformerBlock(settings) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, spec.output_dim)
        initialize(self, "xavier_uniform")
        nn.init.zeros_(self.head.weight)

    def forward(self, images: Tensor) -> Tensor:
        """Outputs `(B, output_dim)` for images `(B, C, H, W)`."""
        height, width = images.shape[2:]
        patches = self.embedding(F.pad(images, (0, -width % self.patch, 0, -height % self.patch)))
        features = patches.flatten(2).transpose(1, 2)  # (B, D, H / P, W / P) -> (B, T, D)
        if self.class_token is not None:
            features = torch.cat((self.class_token.expand(len(images), 1, -1), features), dim=1)  # (B, 1 + T, D)
        features = self.dropout(self.positions(features))
        for block in self.blocks:
            features, _ = block(features)
        features = self.norm(features)
        return self.head(features.mean(dim=1) if self.class_token is None else features[:, 0])  # (B, D)
