"""Whether samples are copies of training data: the pixel distance to the nearest training image."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from dltool.declarations.component import register
from dltool.metrics.sample_metric import GatheredMetric

CHUNK = 8192  # Training images that are compared at a time.
COPY_QUANTILE = 0.05


@register(
    "metric",
    "nearest",
    of="samples",
    needs="pixels",
    direction={"nearest_distance": "max", "copies": "min"},
    reports=("nearest_distance", "copies"),
)
class Nearest(GatheredMetric):
    """The distances of the first 1,000 samples to their nearest training images; see nearest_metrics."""

    floor_from: ClassVar[Literal["train", "held_out"]] = "held_out"
    column: ClassVar[Literal["features", "pixels"]] = "pixels"
    max_rows: ClassVar[int | None] = 1000

    def compare(self, samples: Tensor, held_out: Tensor) -> tuple[float, float]:
        data = self.context.training_pixels()
        of_held_out = nearest_distances(held_out, data)
        values = nearest_metrics(nearest_distances(samples, data), of_held_out)
        return values["nearest_distance"], values["copies"]


def nearest_distances(samples: Tensor, data: Tensor) -> Tensor:
    """Euclidean distance of each sample to its nearest neighbour in the data, with pixels in [0, 1].

    Args:
        samples: uint8 `(N, C, H, W)`.
        data: uint8 `(M, C, H, W)`, on the same device.

    Returns:
        float64 `(N,)`, on the CPU. The nearest is found in float32; its distance is exact, so that a copy's is 0.
    """
    rows = unit(samples)
    best = torch.full((len(rows),), torch.inf, device=rows.device)
    nearest = torch.zeros(len(rows), dtype=torch.int64, device=rows.device)
    for start in range(0, len(data), CHUNK):
        part = unit(data[start : start + CHUNK])
        # |a - b|² without |a|², which is the same for all b.
        least, place = torch.addmm(part.square().sum(dim=1), rows, part.T, alpha=-2).min(dim=1)
        nearest = torch.where(least < best, place + start, nearest)
        best = torch.minimum(best, least)
    difference = samples.cpu().double() - data[nearest.to(data.device)].cpu().double()
    return difference.flatten(1).norm(dim=1) / 255


def unit(images: Tensor) -> Tensor:
    """`(B, C, H, W)` in [0, 255] as `(B, C * H * W)` in [0, 1]."""
    return images.flatten(1).float() / 255


def nearest_metrics(distances: Tensor, of_held_out: Tensor) -> dict[str, float]:
    """Measures of memorization, from distances to the nearest training image.

    Args:
        distances: The distances of samples, `(N,)`.
        of_held_out: The distances of data that was not trained on, `(M,)`, for comparison.

    Returns:
        "nearest_distance", the mean, and "copies": the share of samples that are nearer to a training image than 95 %
        of the held-out data. Without memorization it is .05; a larger share means copies, or images simpler than the
        data (blurred images are near to everything).
    """
    return {
        "nearest_distance": float(distances.mean()),
        "copies": float((distances < of_held_out.quantile(COPY_QUANTILE)).double().mean()),
    }
