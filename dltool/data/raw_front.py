"""Preprocessing as the first layer of an exported network: from raw numbers to model inputs."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dltool.data.resize import is_padding


class RawFront(NamedTuple):
    """A preprocessing that can be part of a graph.

    Attributes:
        module: Maps batches of raw inputs to model inputs.
        samples: Returns any number of example raw inputs, always the same.
        takes: A description of the raw inputs.
    """

    module: nn.Module
    samples: Callable[[int], Tensor]
    takes: str


class Pixels(nn.Module):
    """Converts uint8 images `(B, C, H, W)` to model inputs: padded as in training, then scaled.

    Where training interpolated images to the model's size, they must have that size already: interpolation rounds
    differently on other runtimes.

    Args:
        raw_size: (height, width) of the training data's images.
        size: (height, width) of the model's inputs.
        shift: Of each channel's `(pixel - shift) * factor`.
        factor: The same.

    Attributes:
        size: (height, width) of the raw images.
    """

    shift: Tensor
    factor: Tensor

    def __init__(
        self, raw_size: tuple[int, int], size: tuple[int, int], shift: Sequence[float], factor: Sequence[float]
    ) -> None:
        super().__init__()
        self.size = raw_size if is_padding(raw_size, size) else size
        height, width = (new - old for new, old in zip(size, self.size, strict=True))
        self.margins = (width // 2, width - width // 2, height // 2, height - height // 2)
        self.register_buffer("shift", torch.tensor(shift).view(1, -1, 1, 1))
        self.register_buffer("factor", torch.tensor(factor).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        pixels = images.float()
        if any(self.margins):
            pixels = F.pad(pixels, self.margins)
        return (pixels - self.shift) * self.factor


class Columns(nn.Module):
    """Converts float64 rows `(B, D)` to model inputs; NaN, a missing cell, is filled as in training or stays NaN.

    Args:
        shift: Of each column's `(number - shift) * factor`.
        factor: The same.
        fill: The number that replaces a missing cell of each column; None for none.
    """

    shift: Tensor
    factor: Tensor
    fill: Tensor

    def __init__(self, shift: Sequence[float], factor: Sequence[float], fill: Sequence[float | None]) -> None:
        super().__init__()
        fills = [float("nan") if number is None else number for number in fill]
        self.register_buffer("shift", torch.tensor(shift, dtype=torch.float64))
        self.register_buffer("factor", torch.tensor(factor, dtype=torch.float64))
        self.register_buffer("fill", torch.tensor(fills, dtype=torch.float64))

    def forward(self, rows: Tensor) -> Tensor:
        filled = torch.where(rows.isnan(), self.fill, rows)
        return ((filled - self.shift) * self.factor).float()
