import math

import pytest
import torch

from dltool.core.randomness import generator
from dltool.data import synthetic
from dltool.data.arrays import check_data


def rng(seed=0):
    return generator(seed, "data")


@pytest.mark.parametrize("name", ["line", "moons", "spirals", "gaussians", "gaussians_1d"])
def test_made_from_the_generator_alone(name):
    make = getattr(synthetic, name)
    first, again, other = make(rng()), make(rng()), make(rng(1))
    check_data(first)
    assert first.train.inputs.equal(again.train.inputs)
    assert not first.train.inputs.equal(other.train.inputs)


def test_line_by_least_squares():
    raw = synthetic.line(rng(), slope=-3.0, intercept=0.5, noise=0.2, num_samples=4000)
    x = torch.cat([raw.train.inputs, torch.ones(4000, 1)], 1)
    found = torch.linalg.lstsq(x, raw.train.targets)
    assert found.solution.flatten().tolist() == pytest.approx([-3.0, 0.5], abs=0.02)
    residual = raw.train.targets - x @ found.solution
    assert residual.std().item() == pytest.approx(0.2, abs=0.01)


def test_line_without_noise_is_exact():
    raw = synthetic.line(rng(), noise=0.0)
    torch.testing.assert_close(raw.train.targets, 2 * raw.train.inputs + 1)


@pytest.mark.parametrize(("function", "python"), [("and", min), ("or", max), ("xor", lambda a, b: a ^ b)])
def test_logic_is_the_truth_table(function, python):
    raw = synthetic.logic(rng(), function=function)
    check_data(raw)
    assert not raw.held_out
    rows = [(int(a), int(b)) for a, b in raw.train.inputs.tolist()]
    assert sorted(rows) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert raw.train.targets.tolist() == [python(a, b) for a, b in rows]


def test_moons_without_noise_lie_on_two_half_circles():
    raw = synthetic.moons(rng(), num_samples=501, noise=0.0)
    x, labels = raw.train.inputs, raw.train.targets
    assert labels.bincount().tolist() == [251, 250]
    upper, lower = x[labels == 0], x[labels == 1] - torch.tensor([1.0, 0.5])
    torch.testing.assert_close(upper.norm(dim=1), torch.ones(251))
    torch.testing.assert_close(lower.norm(dim=1), torch.ones(250))
    assert upper[:, 1].min() >= 0
    assert lower[:, 1].max() <= 0


def test_spirals_without_noise_lie_on_their_arms():
    raw = synthetic.spirals(rng(), num_classes=4, num_samples=402, noise=0.0)
    x, labels = raw.train.inputs.double(), raw.train.targets
    assert labels.bincount().tolist() == [101, 101, 100, 100]
    radius = x.norm(dim=1)
    angle = 2 * math.pi * (0.75 * radius + labels / 4)
    torch.testing.assert_close(x, torch.stack([radius * angle.cos(), radius * angle.sin()], 1), atol=1e-6, rtol=0)
    assert len(raw.class_names) == 4


def test_gaussians_are_eight_modes_on_a_ring():
    raw = synthetic.gaussians(rng(), num_samples=8000)
    x, labels = raw.train.inputs, raw.train.targets
    assert labels.bincount().tolist() == [1000] * 8
    assert raw.center_std == 0.02
    for mode, center in enumerate(raw.centers):
        points = x[labels == mode]
        assert math.hypot(*center) == pytest.approx(2)
        assert points.mean(0).tolist() == pytest.approx(center, abs=0.005)
        assert points.std(0).tolist() == pytest.approx([0.02, 0.02], abs=0.002)
    assert len({tuple(round(value, 6) for value in center) for center in raw.centers}) == 8


def test_gaussians_1d_are_normal_distributions_on_a_line():
    raw = synthetic.gaussians_1d(rng(), num_samples=6000, means=[-1.0, 4.0], std=0.2)
    check_data(raw)
    assert (raw.centers, raw.center_std) == (((-1.0,), (4.0,)), 0.2)
    for mode, center in enumerate((-1, 4)):
        points = raw.train.inputs[raw.train.targets == mode]
        assert points.shape == (3000, 1)
        assert points.mean().item() == pytest.approx(center, abs=0.015)
        assert points.std().item() == pytest.approx(0.2, abs=0.01)
