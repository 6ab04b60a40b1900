"""One vector of a sequence, whatever its padding."""

import pytest
import torch

from dltool.layers.pooling import Pooling, SequencePooling

FEATURES = torch.tensor([[[1.0, -4.0], [3.0, -2.0], [9.0, 9.0]], [[2.0, 0.0], [9.0, 9.0], [9.0, 9.0]]])
MASK = torch.tensor([[True, True, False], [True, False, False]])
LAST = torch.tensor([[3.0, -2.0], [2.0, 0.0]])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("last", LAST), ("mean", [[2.0, -3.0], [2.0, 0.0]]), ("max", [[3.0, -2.0], [2.0, 0.0]])],
)
def test_pools_over_what_holds_something(kind: Pooling, expected: object) -> None:
    assert torch.equal(SequencePooling(kind, 2)(FEATURES, MASK, LAST), torch.as_tensor(expected))


def test_the_learned_average_weighs_real_positions_by_their_scores() -> None:
    pooling = SequencePooling("attention", 2)
    pooling.keeps_weights = True
    pooled = pooling(FEATURES, MASK, LAST)
    weights = pooling.weights
    assert weights is not None
    torch.testing.assert_close(weights.sum(1), torch.ones(2))
    assert not weights[~MASK].any()
    odds = (pooling.score(FEATURES[0, 0]) - pooling.score(FEATURES[0, 1])).exp().item()
    assert (weights[0, 0] / weights[0, 1]).item() == pytest.approx(odds, rel=1e-4)
    torch.testing.assert_close(pooled[0], weights[0, 0] * FEATURES[0, 0] + weights[0, 1] * FEATURES[0, 1])
    torch.testing.assert_close(pooled[1], FEATURES[1, 0])


@pytest.mark.parametrize("kind", ["mean", "max", "attention"])
def test_without_a_mask_all_positions_count(kind: Pooling) -> None:
    pooling = SequencePooling(kind, 2)
    everywhere = torch.ones(2, 3, dtype=torch.bool)
    torch.testing.assert_close(pooling(FEATURES, None, LAST), pooling(FEATURES, everywhere, LAST))
    assert pooling.weights is None  # They are kept when they are asked for.


def test_only_the_learned_average_has_parameters() -> None:
    assert [len(list(SequencePooling(kind, 2).parameters())) for kind in ("last", "mean", "max", "attention")] == [
        0, 0, 0, 3,
    ]  # fmt: skip
