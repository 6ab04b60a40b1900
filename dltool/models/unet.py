"""The U-Net that predicts the noise in an image."""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import Fraction, Positive, register, requires
from dltool.layers.attention import MultiHeadAttention
from dltool.models.class_condition import needs_classes

NUM_GROUPS = 8  # Of each group norm, if they divide the channels.
TIME_SCALE = 1000  # Noise levels in [0, 1] are embedded as steps of the 1,000 in the paper.


@register("model", "unet", inputs="image", tasks=("diffusion",))
@requires(
    lambda config: len(config.model.multipliers) > 0,
    "model.multipliers has no level",
    hint="'model.multipliers=[1,2]'",
)
@requires(
    lambda config: config.model.width % 2 == 0,
    "model.width must be even, for pairs of sine and cosine",
    hint="model.width=32",
)
@needs_classes
class UNet(nn.Module):
    """Ho, Jain and Abbeel, "Denoising diffusion probabilistic models" (2020, arXiv:2006.11239), appendix B, small.

    Levels of residual blocks, each at half the resolution of the one before, then the same levels upwards, where each
    block also gets the output of its counterpart on the way down (Ronneberger et al. 2015, arXiv:1505.04597). In the
    middle are two blocks with self-attention between them. Every block gets the noise level, and the class of a
    conditional network, as an embedding that scales and shifts its normalized maps (Dhariwal and Nichol 2021,
    arXiv:2105.05233, section 3). One more class stands for "no class", for classifier-free guidance.

    Deviations: scales and shifts in place of a sum; as many blocks upwards as downwards (there one more); attention
    only in the middle, not at 16×16; 8 groups in each norm, not 32; maps of odd size are enlarged to the size of their
    counterpart, so that images of any size fit.

    Args:
        width: Channels of the first level.
        multipliers: Channels of each level, as multiples of the width.
        blocks: Residual blocks in each level, downwards and upwards.
        attention: Self-attention over all positions, in the middle.
        dropout: Share of the maps' values set to zero in each block, in training.
        condition: "class" gives the network the class of each image; "none" does not.

    Attributes:
        num_classes: Number of classes; 0 for an unconditional network.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        width: Positive[int] = 32,
        multipliers: list[Positive[int]] = [1, 2],  # noqa: B006 (the YAML's default; never changed)
        blocks: Positive[int] = 2,
        attention: bool = True,
        dropout: Fraction[float] = 0.0,
        condition: Literal["none", "class"] = "none",
    ) -> None:
        super().__init__()
        self.num_classes = 0 if condition == "none" else spec.num_classes
        channels, dim = spec.input_shape[0], 4 * width
        widths = [width * multiplier for multiplier in multipliers]
        self.width = width
        self.embed_time = nn.Sequential(nn.Linear(width, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.embed_class = nn.Embedding(self.num_classes + 1, dim) if self.num_classes else None
        self.enter = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList(
            level(before, after, blocks, dim, dropout)
            for before, after in zip([width, *widths[:-1]], widths, strict=True)
        )
        self.shrink = nn.ModuleList(nn.Conv2d(w, w, 3, stride=2, padding=1) for w in widths[:-1])
        self.middle = nn.ModuleList(Block(widths[-1], widths[-1], dim, dropout) for _ in range(2))
        self.attention = SpatialAttention(widths[-1]) if attention else nn.Identity()
        self.up = nn.ModuleList(level(2 * w, w, blocks, dim, dropout, with_skips=True) for w in reversed(widths))
        self.grow = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1) for before, after in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.exit = nn.Sequential(group_norm(width * multipliers[0]), nn.SiLU(), last_convolution(widths[0], channels))

    def forward(self, images: Tensor, times: Tensor | None = None, labels: Tensor | None = None) -> Tensor:
        """The prediction for noisy images, `(B, C, H, W)`.

        Args:
            images: `(B, C, H, W)`.
            times: The noise level t / T of each image, in [0, 1], `(B,)`; None is 0, images without noise.
            labels: The class of each image, int64 `(B,)`, `num_classes` for no class; None is no class for all.
        """
        embedding = self.embed(images, times, labels)
        maps, skips = self.enter(images), []
        for i, blocks in enumerate(self.down):
            for block in blocks.children():
                maps = block(maps, embedding)
                skips.append(maps)
            if i < len(self.shrink):
                maps = self.shrink[i](maps)
        maps = self.middle[1](self.attention(self.middle[0](maps, embedding)), embedding)
        for i, blocks in enumerate(self.up):
            for block in blocks.children():
                maps = block(torch.cat((maps, skips.pop()), dim=1), embedding)
            if i < len(self.grow):
                maps = self.grow[i](F.interpolate(maps, size=skips[-1].shape[2:]))
        return self.exit(maps)

    def embed(self, images: Tensor, times: Tensor | None, labels: Tensor | None) -> Tensor:
        """The embedding of noise levels and classes, `(B, 4 * width)`; arguments as for `forward`."""
        times = images.new_zeros(len(images)) if times is None else times
        embedding = self.embed_time(sinusoids(TIME_SCALE * times, self.width))
        if self.embed_class is not None:
            if labels is None:
                labels = torch.full((len(images),), self.num_classes, device=images.device)
            embedding = embedding + self.embed_class(labels)
        return F.silu(embedding)


def level(
    in_channels: int, channels: int, num_blocks: int, dim: int, dropout: float, *, with_skips: bool = False
) -> nn.ModuleList:
    """The blocks of one level; on the way up, each gets as many channels from its counterpart."""
    later = 2 * channels if with_skips else channels
    return nn.ModuleList(Block(in_channels if i == 0 else later, channels, dim, dropout) for i in range(num_blocks))


class Block(nn.Module):
    """Two convolutions with a residual connection; the second one is initially zero, so that the block is its shortcut.

    Args:
        in_channels: Input channels.
        channels: Output channels.
        dim: Width of the embedding.
        dropout: Share of the values set to zero before the second convolution.
    """

    def __init__(self, in_channels: int, channels: int, dim: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = group_norm(in_channels)
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.scale_shift = nn.Linear(dim, 2 * channels)
        self.norm2 = group_norm(channels)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = last_convolution(channels, channels)
        self.shortcut = nn.Identity() if in_channels == channels else nn.Conv2d(in_channels, channels, 1)

    def forward(self, inputs: Tensor, embedding: Tensor) -> Tensor:
        """Maps `(B, channels, H, W)` of maps `(B, in_channels, H, W)` and the embedding `(B, dim)`."""
        scale, shift = self.scale_shift(embedding)[:, :, None, None].chunk(2, dim=1)
        maps = self.norm2(self.conv1(F.silu(self.norm1(inputs))))
        maps = self.conv2(self.dropout(F.silu(maps * (1 + scale) + shift)))
        return self.shortcut(inputs) + maps


class SpatialAttention(nn.Module):
    """Self-attention over the positions of maps `(B, C, H, W)`, with one head and a residual connection."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = group_norm(channels)
        self.attention = MultiHeadAttention(channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        positions = self.norm(maps).flatten(2).transpose(1, 2)  # (B, C, H, W) -> (B, H * W, C)
        mixed, _ = self.attention(positions)
        return maps + mixed.transpose(1, 2).unflatten(2, maps.shape[2:])  # (B, H * W, C) -> (B, C, H, W)


def group_norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(NUM_GROUPS, channels), channels)


def last_convolution(in_channels: int, out_channels: int) -> nn.Conv2d:
    """A 3×3 convolution that is initially zero."""
    layer = nn.Conv2d(in_channels, out_channels, 3, padding=1)
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def sinusoids(times: Tensor, dim: int) -> Tensor:
    """Sines and cosines of wavelengths from 2π to 10000 · 2π, `(B, dim)` (Vaswani et al. 2017, section 3.5).

    Args:
        times: `(B,)`.
        dim: Even.
    """
    frequencies = 10000 ** -(torch.arange(0, dim, 2, device=times.device) / dim)
    angles = times[:, None].float() * frequencies  # (B, dim / 2)
    return torch.cat((angles.sin(), angles.cos()), dim=1)
