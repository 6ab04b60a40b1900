"""Scales inputs to a range in which networks train well, by statistics of the training split only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from dltool.core.errors import ConfigError
from dltool.core.shell import quoted, setting

Scaling = Literal["standardize", "unit", "symmetric", "none"]
STATISTICS_FROM = 4096  # Images that the scaling is fitted to if it cannot be fitted to all.
COUNTED_AT_A_TIME = 1024  # Images.


@dataclass(frozen=True)
class PixelScaling:
    """uint8 pixels to float32, `(pixel - shift) * factor`, per channel; applied to each batch as it is drawn.

    Attributes:
        shift, factor: float32 `(1, C, 1, 1)`, on the device of the batches.
        input_range: (low, high) that the scaled pixels stay within, or None.
    """

    shift: Tensor
    factor: Tensor
    input_range: tuple[float, float] | None

    def __call__(self, images: Tensor) -> Tensor:
        # The two in-place operations take a third of the time of one addcmul on the CPU.
        return images.float().sub_(self.shift).mul_(self.factor)


def pixel_scaling(
    train: Tensor, mode: Scaling, device: torch.device, resize: Callable[[Tensor], Tensor] | None = None
) -> PixelScaling:
    """Fit the scaling of images.

    Args:
        train: Images of the training split, uint8 `(N, C, H, W)`.
        mode: "standardize", "unit" for [0, 1], "symmetric" for [-1, 1], "none" for 0 … 255.
        device: The device of the batches.
        resize: Pads or resizes images to the size of the model's inputs, so that "standardize" gives each channel mean
            0 and deviation 1 there; None where they have that size.
    """
    channels = train.shape[1]
    input_range: tuple[float, float] | None
    if mode == "standardize":
        shift, deviation = _pixel_statistics(train, resize)
        factor, input_range = _reciprocal(deviation), None
    else:
        low, high = {"unit": (0.0, 1.0), "symmetric": (-1.0, 1.0), "none": (0.0, 255.0)}[mode]
        shift = torch.full((channels,), 127.5 if mode == "symmetric" else 0.0)
        factor, input_range = torch.full((channels,), (high - low) / 255), (low, high)
    shift, factor = (values.float().view(1, channels, 1, 1).to(device) for values in (shift, factor))
    return PixelScaling(shift, factor, input_range)


def rounded(number: float) -> float:
    """To four significant digits."""
    return float(f"{number:.4g}")


@dataclass(frozen=True)
class GivenStatistics:
    """Means and deviations that replace the training split's, as a recipe or pretrained weights state them.

    Attributes:
        mean, std: One value per channel, for pixels in [0, 1].
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, mean: Sequence[float] | None, std: Sequence[float] | None, scaling: str) -> "GivenStatistics | None":
        """The statistics in data.mean and data.std; None where both are null.

        Raises:
            ConfigError: One is null, they differ in length, are meant for pixels up to 255, or contradict data.scaling.
        """
        if mean is None and std is None:
            return None
        if mean is None or std is None:
            there, lacking = ("mean", "std") if std is None else ("std", "mean")
            raise ConfigError(
                f"data.{there} is set, but data.{lacking} is null: both are needed",
                f"{quoted(f'data.{lacking}=[…]')}, or data.{there}=null to compute both",
            )
        if len(mean) != len(std):
            raise ConfigError(
                f"data.mean has {len(mean)} values, but data.std has {len(std)}", "one value per channel in each"
            )
        if max(std, default=0) > 1:
            shares = [rounded(value / 255) for value in std]
            raise ConfigError(f"data.std={list(std)} is not for pixels in [0, 1]", setting("data.std", shares))
        if scaling not in ("auto", "standardize"):
            raise ConfigError(
                f"data.scaling={scaling} does not use data.mean and data.std",
                "data.scaling=standardize, or data.mean=null data.std=null",
            )
        return cls(tuple(mean), tuple(std))

    def pixel_scaling(self, channels: int, device: torch.device) -> PixelScaling:
        """The scaling of images with this number of channels.

        Raises:
            ConfigError: The number of means differs.
        """
        if len(self.mean) != channels:
            fitting = " ".join(
                setting(f"data.{name}", [rounded(sum(values) / len(values))] * channels)
                for name, values in (("mean", self.mean), ("std", self.std))
                if values
            )
            kind = {1: "grey", 3: "RGB"}.get(channels, f"{channels}-channel")
            raise ConfigError(
                f"data.mean and data.std have {len(self.mean)} values each, but {kind} images have {channels} "
                f"channel{'s' if channels > 1 else ''}",
                f"{fitting or 'one value per channel'}, or both null to compute them",
            )
        shift, std = (torch.tensor(values).view(1, -1, 1, 1).to(device) for values in (self.mean, self.std))
        return PixelScaling(255 * shift, 1 / (255 * std), None)


def fit_rows(train: Tensor, mode: Scaling) -> tuple[Tensor, Tensor]:
    """Fit the scaling `(rows - shift) * factor` of a table's features, in double precision.

    Args:
        train: Rows of the training split, `(N, D)`.
        mode: "standardize" for mean 0 and deviation 1, "unit" and "symmetric" for the training split's smallest and
            largest value at 0 and 1, or -1 and 1 (other splits may go beyond), "none".

    Returns:
        shift and factor, float64 `(D,)`. A feature that is constant in the training split is only centred.
    """
    train = train.double()
    if mode == "none":
        return torch.zeros_like(train[0]), torch.ones_like(train[0])
    least, largest = train.amin(0), train.amax(0)
    if mode == "standardize":
        shift, width = train.mean(0), train.std(0, correction=0)
    else:
        half = mode == "symmetric"
        shift, width = ((least + largest) / 2, (largest - least) / 2) if half else (least, largest - least)
    return shift, _reciprocal(torch.where(least == largest, 0.0, width))  # Rounding gives constants a deviation.


def blurred_in_float32(values: Tensor) -> bool:
    """Whether float32 rounds numbers `(N,)` by more than a hundredth of their deviation."""
    exact = values.double()
    rounding = (exact - exact.float()).abs().amax()
    return bool(exact.amin() < exact.amax()) and bool(rounding > 0.01 * exact.std(correction=0))


def _pixel_statistics(images: Tensor, resize: Callable[[Tensor], Tensor] | None) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each channel, float64 `(C,)`, exact from the 256 counts."""
    counts = torch.zeros(images.shape[1], 256, dtype=torch.float64, device=images.device)
    for chunk in images.split(COUNTED_AT_A_TIME):
        sized = chunk if resize is None else resize(chunk)
        counts += torch.stack([torch.bincount(channel.flatten(), minlength=256) for channel in sized.unbind(1)])
    values = torch.arange(256.0, dtype=torch.float64, device=images.device)
    share = counts / counts.sum(1, keepdim=True)
    mean = share @ values
    return mean, (share * (values - mean[:, None]) ** 2).sum(1).sqrt()


def _reciprocal(deviation: Tensor) -> Tensor:
    return torch.where(deviation > 0, 1 / deviation, 1.0)


def scale_channels_last(scale: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Scaled images `(B, C, H, W)` in the channels-last memory format."""
    return scale(images).contiguous(memory_format=torch.channels_last)
