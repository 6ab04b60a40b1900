"""The Fréchet distance of two sets of features."""

import torch
from torch import Tensor

from dltool.declarations.component import register
from dltool.metrics.sample_metric import GatheredMetric


@register(
    "metric",
    "fd",
    of="samples",
    needs="features",
    direction="min",
    reports={"lenet": ("fd_lenet",), "inception": ("fid_inception",)},
)
class FrechetDistance(GatheredMetric):
    """The Fréchet distance of features of samples and of held-out data; see frechet_distance.

    Rows are gathered, not moments: rounding in a different order of the sums would change small eigenvalues.
    """

    def compare(self, samples: Tensor, held_out: Tensor) -> float:
        return frechet_distance(samples, held_out)


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """|m₁ - m₂|² + tr(S₁ + S₂ - 2 (S₁ S₂)^½), as if both sets were normal (Dowson and Landau 1982).

    On the features of Inception it is the FID of Heusel et al. (2017, arXiv:1706.08500, eq. 6); with any other network
    it is not, and the scale depends on that network. It is biased: fewer samples give a larger distance, so only
    distances of equal numbers of samples are comparable. In float64; tr (S₁ S₂)^½ is computed as
    tr (S₁^½ S₂ S₁^½)^½, the root of a symmetric matrix.

    Args:
        first: `(N, D)`, N at least 2.
        second: `(M, D)`.
    """
    mean1, covariance1 = moments(first)
    mean2, covariance2 = moments(second)
    values, vectors = torch.linalg.eigh(covariance1)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    product = root @ covariance2 @ root
    overlap = torch.linalg.eigvalsh((product + product.T) / 2).clamp(min=0).sqrt().sum()
    distance = (mean1 - mean2).square().sum() + covariance1.trace() + covariance2.trace() - 2 * overlap
    return max(0.0, float(distance))  # For equal sets rounding may give a negative number.


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean `(D,)` and unbiased covariance `(D, D)`, float64."""
    features = features.cpu().double()
    mean = features.mean(dim=0)
    centred = features - mean
    return mean, centred.T @ centred / (len(features) - 1)
