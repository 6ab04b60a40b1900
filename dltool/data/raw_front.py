"""Preprocessing as the first layer of an exported network: raw numbers in, what the model takes out."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dltool.data.resize import is_padding


class RawFront(NamedTuple):
    """A preprocessing that a graph can hold.

    Attributes:
        module: From raw inputs to the model's, the batch in front.
        samples: Gives any number of raw inputs, always the same.
        takes: What the raw inputs are, in words.
    """

    module: nn.Module
    samples: Callable[[int], Tensor]
    takes: str


class Pixels(nn.Module):
    """uint8 images `(B, C, H, W)` as the model sees them: padded as in training, then scaled.

    Where training interpolated its images to the model's size, they are taken at that size: on another runtime an
    interpolation rounds other pixels.

    Args:
        raw_size: (height, width) of the training data's images.
        size: (height, width) of the model's inputs.
        shift: Of each channel's `(pixel - shift) * factor`.
        factor: The same.

    Attributes:
        size: (height, width) of the images that are taken.
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
    """float64 rows `(B, D)` as the model takes them; NaN, a missing cell, is filled as in training, or stays NaN.

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
