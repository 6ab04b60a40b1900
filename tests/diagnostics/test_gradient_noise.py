"""The gradient noise scale is that of the per-sample gradients, and that of a known distribution."""

import contextlib
import math

import pytest
import torch
import torch.nn.functional as F
from classifier_task import Classifier
from torch import nn

from dltool.core.batch import Batch
from dltool.diagnostics.gradient_noise import gradient_noise, noise_of
from dltool.diagnostics.probe import Probe


def probe_of(network: nn.Module, num_samples: int = 12) -> Probe:
    batch = Batch(torch.randn(num_samples, 4), torch.arange(num_samples) % 3, num_samples)
    return Probe(Classifier(network), batch, {"model": contextlib.nullcontext()}, torch.device("cpu"))


def test_it_is_that_of_per_sample_gradients() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    probe = probe_of(network)
    rows = []
    for x, y in zip(probe.batch.inputs, probe.batch.targets, strict=True):
        loss = F.cross_entropy(network(x[None]), y[None])
        gradients = torch.autograd.grad(loss, [network[0].weight, network[2].weight])
        rows.append(torch.cat([g.flatten() for g in gradients]).double())
    matrix = torch.stack(rows)
    trace = float(matrix.var(0, correction=1).sum())
    norm = float(matrix.mean(0).square().sum()) - trace / len(matrix)
    found = gradient_noise(probe)
    assert found is not None
    assert (found.trace, found.square_norm) == pytest.approx((trace, norm), rel=1e-6)
    assert all(p.grad is None for p in network.parameters())


def test_it_estimates_a_known_scale() -> None:
    """g ~ N(μ, σ² I) in 50 dimensions: tr Σ = 50 σ², ‖G‖² = ‖μ‖²."""
    rng = torch.Generator().manual_seed(0)
    mean = torch.ones(50)
    found = noise_of(list(mean + 3 * torch.randn(4000, 50, generator=rng)))
    assert found.trace == pytest.approx(450, rel=0.02)
    assert found.scale == pytest.approx(450 / 50, rel=0.05)


def test_equal_samples_have_no_noise_and_opposite_ones_no_gradient() -> None:
    assert noise_of([torch.ones(3)] * 4).scale == pytest.approx(0)
    assert math.isnan(noise_of([torch.ones(3), -torch.ones(3)]).scale)


def test_batch_norm_has_no_gradient_of_a_single_sample() -> None:
    assert gradient_noise(probe_of(nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3)))) is None
