import math

import torch

from dltool.layers.positions import LearnedPositions, RotaryPositions, SinusoidalPositions


def test_sinusoids_of_the_paper():
    table = SinusoidalPositions(20, 6)(torch.zeros(1, 20, 6))[0]
    for t in (0, 1, 13):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            torch.testing.assert_close(table[t, 2 * i].item(), math.sin(angle), atol=1e-5, rtol=0)
            torch.testing.assert_close(table[t, 2 * i + 1].item(), math.cos(angle), atol=1e-5, rtol=0)


def test_a_later_start():
    for positions in (SinusoidalPositions(20, 6), LearnedPositions(20, 6)):
        features = torch.randn(2, 20, 6)
        torch.testing.assert_close(positions(features[:, 5:8], 5), positions(features)[:, 5:8])
        assert not torch.equal(positions(features), features)


def test_turned_scores_depend_on_the_distance_alone():
    torch.manual_seed(0)
    rotary, query, key = RotaryPositions(50, 8), torch.randn(1, 1, 1, 8), torch.randn(1, 1, 1, 8)

    def score(t, s):
        return (rotary(query, t) * rotary(key, s)).sum()

    torch.testing.assert_close(score(9, 4), score(35, 30))
    torch.testing.assert_close(score(4, 4), (query * key).sum())
    assert (score(9, 4) - score(9, 5)).abs() > 1e-3


def test_each_pair_is_turned_by_its_angle():
    rotary = RotaryPositions(50, 4)
    turned = rotary(torch.tensor([[[[1.0, 1.0, 0.0, 0.0]]]]), 3)[0, 0, 0]
    expected = torch.tensor([math.cos(3), math.cos(0.03), math.sin(3), math.sin(0.03)])
    torch.testing.assert_close(turned, expected)
