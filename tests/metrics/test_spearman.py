"""Spearman's rank correlation."""

import math

import pytest
import torch

from dltool.metrics.spearman import average_ranks, spearman


def test_ties_share_the_mean_of_their_places() -> None:
    assert average_ranks(torch.tensor([10.0, 5.0, 10.0, 20.0])).tolist() == [2.5, 1.0, 2.5, 4.0]


def test_only_the_order_counts() -> None:
    values = torch.tensor([0.1, 0.2, 0.5, 3.0])
    assert spearman(values, values.exp()) == pytest.approx(1)
    assert spearman(values, -values) == pytest.approx(-1)


def test_without_different_numbers_it_has_no_value() -> None:
    assert math.isnan(spearman(torch.ones(3), torch.arange(3.0)))
    assert math.isnan(spearman(torch.ones(0), torch.ones(0)))


def test_is_that_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = torch.Generator().manual_seed(0)
    first = torch.randint(0, 20, (200,), generator=rng).double()  # Many ties.
    second = first + 5 * torch.randn(200, generator=rng).round()
    assert spearman(first, second) == pytest.approx(stats.spearmanr(first, second).statistic, abs=1e-12)
