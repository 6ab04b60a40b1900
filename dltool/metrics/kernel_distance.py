"""The kernel distance of two sets of features: KID if they are Inception's."""

from typing import NamedTuple

import torch
from torch import Tensor

from dltool.core.randomness import generator
from dltool.declarations.component import register
from dltool.metrics.sample_metric import GatheredMetric

SUBSET_SIZE, NUM_SUBSETS = 1000, 50


@register(
    "metric",
    "kid",
    of="samples",
    needs="features",
    direction="min",
    reports={"lenet": ("kid_lenet", "kid_lenet_sd"), "inception": ("kid_inception", "kid_inception_sd")},
)
class KernelDistance(GatheredMetric):
    """The kernel distance of features of samples and held-out data, with its deviation; see kernel_distance."""

    def compare(self, samples: Tensor, held_out: Tensor) -> tuple[float, float]:
        if self.context.own_network:
            samples, held_out = standardized(samples, held_out), standardized(held_out, held_out)
        return kernel_distance(samples, held_out, generator(0, "judge", "subsets"))


class Discrepancy(NamedTuple):
    """The mean over subsets and their standard deviation, which is 0 for a single subset."""

    mean: float
    deviation: float


def kernel_distance(
    first: Tensor,
    second: Tensor,
    source: torch.Generator,
    *,
    subset_size: int = SUBSET_SIZE,
    num_subsets: int = NUM_SUBSETS,
) -> Discrepancy:
    """The squared maximum mean discrepancy with the kernel (x·y / D + 1)³ (Bińkowski et al. 2018, arXiv:1801.01401,
    section 4), unbiased: for equal distributions its mean is 0, so it may be negative.

    Args:
        first: `(N, D)`.
        second: `(M, D)`.
        source: Draws the subsets, each without replacement. Sets no larger than a subset are used whole, once.
        subset_size: The number of samples of each set in a subset.
        num_subsets: The number of subsets for the mean.
    """
    first, second = first.cpu().double(), second.cpu().double()
    size = min(subset_size, len(first), len(second))
    if len(first) == len(second) == size:
        return Discrepancy(unbiased_discrepancy(first, second), 0.0)
    values = []
    for _ in range(num_subsets):
        rows1, rows2 = (torch.randperm(len(x), generator=source)[:size] for x in (first, second))
        values.append(unbiased_discrepancy(first[rows1], second[rows2]))
    drawn = torch.tensor(values, dtype=torch.float64)
    return Discrepancy(float(drawn.mean()), float(drawn.std(correction=0)))


def unbiased_discrepancy(first: Tensor, second: Tensor) -> float:
    """MMD² of `(N, D)` and `(M, D)` without the terms that pair a sample with itself."""
    within = 0.0
    for x in (first, second):
        within += float((kernel(x, x).sum() - kernel_of_each(x).sum()) / (len(x) * (len(x) - 1)))
    return within - 2 * float(kernel(first, second).mean())


def kernel(first: Tensor, second: Tensor) -> Tensor:
    """`(N, M)`."""
    return (first @ second.T / first.shape[1] + 1) ** 3


def kernel_of_each(features: Tensor) -> Tensor:
    """The diagonal of kernel(features, features), `(N,)`."""
    return (features.square().mean(dim=1) + 1) ** 3


def standardized(features: Tensor, reference: Tensor) -> Tensor:
    """Shift and scale features so that those of the reference have mean 0 and mean variance 1; float64.

    KID's kernel depends on the scale of its features, which is arbitrary for a network trained for the purpose. All
    features have one factor: with one factor each, a unit that is rarely active would dominate the cubic kernel.
    """
    reference = reference.cpu().double()
    scale = reference.var(dim=0, correction=0).mean().sqrt()
    return (features.cpu().double() - reference.mean(dim=0)) / (scale if scale > 0 else 1.0)
