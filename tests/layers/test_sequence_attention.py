"""Attention of a recurrent decoder against its equations, one pair at a time."""

from typing import Literal

import pytest
import torch

from dltool.layers.sequence_attention import SequenceAttention

Kind = Literal["additive", "dot"]
MASK = torch.tensor([[True, True, True, False], [True, False, False, False]])


@pytest.mark.parametrize("kind", ["additive", "dot"])
def test_scores_are_those_of_the_papers(kind: Kind) -> None:
    torch.manual_seed(0)
    layer = SequenceAttention(kind, 3, 5)
    layer.keeps_weights = True
    states, memory = torch.randn(2, 2, 3), torch.randn(2, 4, 5)
    sums = layer(states, memory, layer.key(memory), MASK)

    def score(s: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        if kind == "dot":
            return s @ (layer.key.weight @ h)
        return layer.score.weight[0] @ torch.tanh(layer.query.weight @ s + layer.key.weight @ h)

    for u in range(2):
        expected = torch.stack([score(states[0, u], memory[0, s]) for s in range(3)]).softmax(0)
        torch.testing.assert_close(layer.weights[0, u], torch.cat((expected, torch.zeros(1))))
        torch.testing.assert_close(sums[0, u], expected @ memory[0, :3])
        torch.testing.assert_close(sums[1, u], memory[1, 0])  # The one position that there is.


@pytest.mark.parametrize("kind", ["additive", "dot"])
def test_weights_sum_to_one_over_what_holds_something_and_are_kept_when_asked_for(kind: Kind) -> None:
    layer = SequenceAttention(kind, 3, 5)
    states, memory = torch.randn(2, 6, 3), torch.randn(2, 4, 5)
    layer(states, memory, layer.key(memory), MASK)
    assert layer.weights is None
    layer.keeps_weights = True
    layer(states, memory, layer.key(memory), MASK)
    torch.testing.assert_close(layer.weights.sum(2), torch.ones(2, 6))
    assert not layer.weights.masked_select(~MASK[:, None].expand(-1, 6, -1)).any()
