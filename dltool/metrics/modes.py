"""How many of a mixture's known modes a generative model covers, and how well."""

import torch
from torch import Tensor

from dltool.metrics.mean import Mean

NUM_SAMPLES = 2500


def mode_coverage(samples: Tensor, centers: Tensor, std: float) -> dict[str, Mean]:
    """Covered modes and share of high-quality samples, after Srivastava et al. (2017, arXiv:1705.07761).

    A sample has high quality if its Euclidean distance to the nearest center is at most three standard
    deviations, as for 1 - exp(-9/2) = 98.9 % of the samples of a true two-dimensional Gaussian. A mode is covered if
    it is the nearest one of at least one high-quality sample. The usual number of samples is 2,500.

    Args:
        samples: `(N, D)`.
        centers: `(K, D)`.
        std: The standard deviation of each component of each mode, in the unit of the samples.

    Returns:
        "modes", a number out of K, and "high_quality", a share.
    """
    distances, nearest = torch.cdist(samples, centers).min(dim=1)
    good = distances <= 3 * std
    return {
        "modes": Mean(nearest[good].unique().numel(), 1),
        "high_quality": Mean(good.sum(), len(samples)),
    }
