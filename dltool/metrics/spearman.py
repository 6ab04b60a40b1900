"""Spearman's rank correlation."""

import torch
from torch import Tensor


def spearman(first: Tensor, second: Tensor) -> float:
    """Spearman's rank correlation: Pearson's correlation of the ranks; equal numbers have the mean of their ranks.

    Args:
        first: `(N,)`.
        second: `(N,)`.

    Returns:
        Between -1 and 1; NaN if either has fewer than two different numbers.
    """
    ranks = torch.stack([average_ranks(first), average_ranks(second)])
    ranks = ranks - ranks.mean(dim=1, keepdim=True)
    covariance = ranks @ ranks.T
    return float(covariance[0, 1] / (covariance[0, 0] * covariance[1, 1]).sqrt())


def average_ranks(values: Tensor) -> Tensor:
    """The rank of each number, from 1, float64 `(N,)`; equal ones have the mean of their ranks."""
    _, group, sizes = values.unique(return_inverse=True, return_counts=True)  # In ascending order.
    last = sizes.cumsum(0).double()
    return (last - (sizes - 1) / 2)[group]
