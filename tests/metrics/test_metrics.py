import math

import pytest
import torch

from dltool.metrics.accuracy import accuracy
from dltool.metrics.mean import Mean
from dltool.metrics.modes import mode_coverage
from dltool.metrics.total import Total


def test_accuracy_by_the_largest_score():
    outputs = torch.tensor([[1.0, 2.0, 0.0], [5.0, 4.0, 3.0], [0.0, 0.0, 1.0]])
    assert accuracy(outputs, torch.tensor([1, 2, 2])).value() == pytest.approx(2 / 3)


def test_accuracy_by_the_sign_of_one_logit():
    assert accuracy(torch.tensor([[0.1], [-3.0], [2.0], [-0.1]]), torch.tensor([1, 0, 0, 1])).value() == 0.5


def test_total_counts_up_whatever_it_is_added_to():
    assert (Total(3) + Total(4)).value() == 7
    assert (Total(torch.tensor(3)) + Total(torch.tensor(4)) + Total(1)).value() == 8
    assert (Mean(3, 1) + Total(4)).value() == 7  # A sum that was saved as a plain pair.


def test_mode_coverage_by_hand():
    centers = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    samples = torch.tensor([[0.29, 0.0], [0.0, 0.31], [10.0, 0.2], [5.0, 5.0]])
    coverage = mode_coverage(samples, centers, std=0.1)
    assert coverage["modes"].value() == 2
    assert coverage["high_quality"].value() == 0.5


def test_the_true_distribution_has_all_modes_and_the_known_quality():
    generator = torch.Generator().manual_seed(0)
    centers = torch.tensor([[math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)] for k in range(8)])
    noise = 0.02 * torch.randn(2500, 2, generator=generator)
    samples = centers[torch.randint(8, (2500,), generator=generator)] + noise
    coverage = mode_coverage(samples, centers, std=0.02)
    assert coverage["modes"].value() == 8
    assert coverage["high_quality"].value() == pytest.approx(1 - math.exp(-4.5), abs=0.01)
