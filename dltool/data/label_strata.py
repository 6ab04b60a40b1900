"""Splits in which each of several labels per sample keeps its share."""

import torch
from torch import Tensor


def take_labelled(rows: Tensor, labels: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Take samples so that each label occurs among them as often as among all, as far as possible.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas, On the Stratification of Multi-label Data, ECML PKDD
    2011, algorithm 1) into two parts: the label with the fewest samples that are left is divided first, and its samples
    are counted for their other labels; samples without labels make up the sizes. Unlike there, samples are not divided
    one by one but in the order of `rows`.

    Args:
        rows: Indices of samples in random order, int64 `(M,)`.
        labels: 1 or 0 for each sample of the data, `(N, L)`.
        count: The number to take, at most M.

    Returns:
        The rows taken and the rest, in their order.
    """
    has = labels[rows] > 0  # (M, L)
    wanted = has.sum(0).double() * (count / max(len(rows), 1))
    taken = torch.zeros(len(rows), dtype=torch.bool)
    left = torch.ones(len(rows), dtype=torch.bool)
    while (sizes := has[left].sum(0)).any():
        rarest = int(torch.where(sizes > 0, sizes, len(rows) + 1).argmin())
        members = (has[:, rarest] & left).nonzero()[:, 0]
        chosen = members[: max(0, round(wanted[rarest].item()))]
        taken[chosen], left[members] = True, False
        wanted -= has[chosen].sum(0)
    without = left.nonzero()[:, 0]
    taken[without[: max(0, count - int(taken.sum()))]] = True
    surplus = int(taken.sum()) - count  # Of rounding.
    if surplus:
        taken[(taken if surplus > 0 else ~taken).nonzero()[: abs(surplus), 0]] = surplus < 0
    return rows[taken], rows[~taken]


def fold_of_each_labelled(labels: Tensor, num_folds: int, order: Tensor) -> Tensor:
    """The fold in which each sample is held out, int64 `(N,)`, of sizes that differ by at most one; see take_labelled.

    Args:
        labels: 1 or 0, `(N, L)`.
        num_folds: At least 2.
        order: A permutation of the samples.
    """
    folds = torch.empty(len(labels), dtype=torch.int64)
    rest = order
    for fold in range(num_folds):
        chosen, rest = take_labelled(rest, labels, -(-len(rest) // (num_folds - fold)))
        folds[chosen] = fold
    return folds
