import math

import pytest
import torch

from dltool.tasks.generative import slerp


def test_slerp_goes_along_the_circle():
    start, end = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    way = slerp(start, end, torch.tensor([0.0, 1 / 3, 1.0]))
    expected = torch.tensor([[1, 0], [math.cos(math.pi / 6), math.sin(math.pi / 6)], [0, 1]])
    assert torch.allclose(way, expected, atol=1e-6)


def test_slerp_of_normal_codes_keeps_their_length():
    start, end = torch.randn(2, 100, generator=torch.Generator().manual_seed(0))
    middle = slerp(start, end, torch.tensor([0.5]))[0]
    assert middle.norm() == pytest.approx((start.norm() + end.norm()).item() / 2, rel=1e-5)
    assert ((start + end) / 2).norm() < 0.8 * middle.norm()  # What a straight line would give.


def test_codes_of_any_shape():
    start, end = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    shares = torch.tensor([0.0, 0.3, 1.0])
    way = slerp(start, end, shares)
    assert way.shape == (3, 3, 4, 5)
    assert torch.equal(way, slerp(start.flatten(), end.flatten(), shares).view(3, 3, 4, 5))
    assert torch.allclose(way[0], start, atol=1e-5)
    assert slerp(start, 2 * start, shares).shape == (3, 3, 4, 5)


def test_slerp_between_parallel_codes_is_the_line():
    start = torch.tensor([1.0, 2.0])
    assert torch.allclose(slerp(start, 3 * start, torch.tensor([0.5])), 2 * start[None])
    assert slerp(start, -start, torch.tensor([0.25])).isfinite().all()
