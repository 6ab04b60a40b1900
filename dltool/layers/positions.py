"""Positional encodings: attention alone does not depend on the order of the positions."""

import torch
from torch import Tensor, nn

from dltool.declarations.component import requires

sinusoidal_positions_need_even_dim = requires(
    lambda config: config.model.positions != "sinusoidal" or config.model.dim % 2 == 0,
    "model.positions=sinusoidal needs pairs of sine and cosine, but model.dim is odd",
    hint="model.dim=128 model.num_heads=4",
)

rotary_positions_need_even_heads = requires(
    lambda config: config.model.positions != "rotary" or config.model.dim % (2 * config.model.num_heads) == 0,
    "model.positions=rotary rotates pairs of numbers, but model.dim / model.num_heads is odd",
    hint="model.dim=128 model.num_heads=4",
)


class SinusoidalPositions(nn.Module):
    """Fixed sines and cosines of wavelengths from 2π to 10000 · 2π (Vaswani et al. 2017, section 3.5).

    PE(t, 2i) = sin(t / 10000^(2i/D)), PE(t, 2i + 1) = cos(t / 10000^(2i/D)).

    Args:
        max_length: The number of positions.
        dim: D, even.
    """

    table: Tensor

    def __init__(self, max_length: int, dim: int) -> None:
        super().__init__()
        angles = torch.arange(max_length)[:, None] / 10000 ** (torch.arange(0, dim, 2) / dim)  # (T, D / 2)
        self.register_buffer("table", torch.stack((angles.sin(), angles.cos()), dim=2).flatten(1), persistent=False)

    def forward(self, features: Tensor, start: int = 0) -> Tensor:
        """Add the encodings to `(B, T, D)`, whose first position is `start`."""
        return features + self.table[start : start + features.shape[1]]


class LearnedPositions(nn.Module):
    """A learned vector for each position (Gehring et al. 2017, arXiv:1705.03122, section 3.1; GPT).

    Args:
        max_length: The number of positions.
        dim: D.
        std: Standard deviation of the initial numbers.
    """

    def __init__(self, max_length: int, dim: int, *, std: float = 0.02) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(max_length, dim).normal_(std=std))

    def forward(self, features: Tensor, start: int = 0) -> Tensor:
        """Add the vectors to `(B, T, D)`, whose first position is `start`."""
        return features + self.table[start : start + features.shape[1]]


class RotaryPositions(nn.Module):
    """Rotates each pair of a query's or key's components by an angle that grows with its position.

    Su et al. 2021 (arXiv:2104.09864), equation 34: pair i of position t is rotated by t · 10000^(-2i/D), so that the
    score of a query and a key depends on the distance between them. The pairs are (i, i + D/2) instead of the paper's
    (2i, 2i + 1), a permutation of the head's components that the linear maps absorb.

    Args:
        max_length: The number of positions.
        dim: D, the width of a head, even.
    """

    cosines: Tensor
    sines: Tensor

    def __init__(self, max_length: int, dim: int) -> None:
        super().__init__()
        angles = torch.arange(max_length)[:, None] / 10000 ** (torch.arange(0, dim, 2) / dim)  # (T, D / 2)
        self.register_buffer("cosines", angles.cos(), persistent=False)
        self.register_buffer("sines", angles.sin(), persistent=False)

    def forward(self, features: Tensor, start: int = 0) -> Tensor:
        """Rotate `(B, H, T, D)`, whose first position is `start`."""
        stop = start + features.shape[2]
        cosines, sines = self.cosines[start:stop].to(features.dtype), self.sines[start:stop].to(features.dtype)
        first, second = features.chunk(2, dim=3)
        return torch.cat((first * cosines - second * sines, second * cosines + first * sines), dim=3)
