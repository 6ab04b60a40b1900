"""What word vectors minimize, against the equations computed one prediction at a time."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dltool.core.spec import DataSpec
from dltool.layers.word_windows import WordPredictions
from dltool.losses.hierarchical_softmax import HierarchicalSoftmax
from dltool.losses.negative_sampling import NegativeSampling, cumulative_noise

COUNTS = (0, 8, 4, 2, 1, 1)
SPEC = DataSpec((1,), num_tokens=len(COUNTS), token_counts=COUNTS)


def table(dim: int = 3) -> nn.Embedding:
    torch.manual_seed(0)
    return nn.Embedding(len(COUNTS), dim)


def predictions() -> WordPredictions:
    """Two blocks of two vectors, uneven: of the second block's second vector nothing is asked."""
    torch.manual_seed(1)
    wanted = torch.tensor([[[1, 0, 1], [0, 1, 0]], [[1, 1, 1], [0, 0, 0]]], dtype=torch.bool)
    words = torch.tensor([[1, 2, 3], [4, 1, 5]])
    return WordPredictions(torch.randn(2, 2, 3, requires_grad=True), words, wanted)


def test_negative_sampling_is_equation_4(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean of -log σ(v'·v) - k · mean of log σ(-v'_n·v), n all words drawn for the block."""
    loss, outputs, given = NegativeSampling(SPEC, num_negatives=5, num_drawn=2), table(), predictions()
    drawn = torch.tensor([[2, 4], [1, 1]])
    monkeypatch.setattr(loss, "draw", lambda num_blocks, device: drawn)
    mean, count = loss(given, outputs)
    terms = []
    for block in range(2):
        for row in range(2):
            for column in range(3):
                if given.wanted[block, row, column]:
                    vector = given.vectors[block, row]
                    right = torch.sigmoid(outputs.weight[given.words[block, column]] @ vector).log()
                    wrong = torch.sigmoid(-(outputs.weight[drawn[block]] @ vector)).log()
                    terms.append(-right - 5 / 2 * wrong.sum())
    expected = torch.stack(terms).mean()
    assert int(count) == 6
    torch.testing.assert_close(mean, expected)
    for tensor in (given.vectors, outputs.weight):
        torch.testing.assert_close(*(torch.autograd.grad(y, tensor, retain_graph=True)[0] for y in (mean, expected)))


def test_its_gradient_by_hand() -> None:
    """One vector, one word, one other word: (σ(v'·v) - 1) v' + k σ(v'_n·v) v'_n."""
    loss, outputs = NegativeSampling(SPEC, num_negatives=3, num_drawn=1), nn.Embedding(6, 2)
    with torch.no_grad():
        outputs.weight.copy_(torch.tensor([[9.0, 9], [1, 2], [0, 1], [9, 9], [9, 9], [9, 9]]))
    loss.draw = lambda num_blocks, device: torch.tensor([[2]])  # type: ignore[method-assign]
    vector = torch.tensor([[[0.5, -0.5]]], requires_grad=True)
    mean, _ = loss(WordPredictions(vector, torch.tensor([[1]]), torch.ones(1, 1, 1, dtype=torch.bool)), outputs)
    mean.backward()
    right, wrong = 1 / (1 + math.exp(0.5)), 1 / (1 + math.exp(0.5))  # σ(-0.5), twice
    expected = [(right - 1) * 1 + 0, (right - 1) * 2 + 3 * wrong * 1]
    assert vector.grad is not None
    assert vector.grad.flatten().tolist() == pytest.approx(expected)


def test_noise_is_drawn_with_counts_to_the_power() -> None:
    torch.manual_seed(0)
    drawn = NegativeSampling(SPEC, num_drawn=200, power=0.75).draw(500, torch.device("cpu"))
    assert drawn.shape == (500, 200)
    weights = torch.tensor(COUNTS).double() ** 0.75
    weights[0] = 0
    shares = torch.bincount(drawn.flatten(), minlength=6).double() / drawn.numel()
    assert shares.tolist() == pytest.approx((weights / weights.sum()).tolist(), abs=0.005)
    assert not (drawn == 0).any(), "a token that never comes is never drawn"


def test_draws_are_a_function_of_torchs_seed() -> None:
    loss = NegativeSampling(SPEC)
    first, second = ((torch.manual_seed(7), loss.draw(3, torch.device("cpu")))[1] for _ in range(2))
    assert torch.equal(first, second)


def test_no_draw_lies_beyond_the_last_word_with_a_count() -> None:
    cumulative = cumulative_noise(torch.tensor([0, 3, 1, 0]), 0.75)
    draws = torch.searchsorted(cumulative, torch.tensor([0.0, 0.5, 1 - 2**-24]), right=True)
    assert draws.tolist() == [1, 1, 2]


def test_hierarchical_softmax_is_a_distribution() -> None:
    loss, outputs = HierarchicalSoftmax(SPEC), table()
    vector = torch.randn(1, 3).expand(len(COUNTS), 3)
    probabilities = loss.log_probability(vector, torch.arange(len(COUNTS)), outputs).exp().detach()
    assert float(probabilities.sum()) == pytest.approx(1, abs=1e-6)
    assert probabilities.min() > 0


def test_hierarchical_softmax_by_hand() -> None:
    """Three words of counts 2, 1, 1: the first is one turn from the root, the others two."""
    loss, outputs = HierarchicalSoftmax(DataSpec((1,), num_tokens=3, token_counts=(2, 1, 1))), nn.Embedding(3, 1)
    with torch.no_grad():
        outputs.weight.copy_(torch.tensor([[0.5], [2.0], [100.0]]))  # Node 1 is the root; the last row is unused.
    vectors = torch.ones(3, 1)
    found = loss.log_probability(vectors, torch.arange(3), outputs)
    root, fork = (torch.sigmoid(torch.tensor(x)) for x in (2.0, 0.5))
    expected = torch.stack([root, (1 - root) * fork, (1 - root) * (1 - fork)]).log()
    torch.testing.assert_close(found, expected)


def test_a_loss_without_predictions_is_zero() -> None:
    nothing = WordPredictions(torch.randn(1, 2, 3, requires_grad=True), torch.zeros(1, 3, dtype=torch.int64),
                              torch.zeros(1, 2, 3, dtype=torch.bool))  # fmt: skip
    for loss in (NegativeSampling(SPEC), HierarchicalSoftmax(SPEC)):
        mean, count = loss(nothing, table())
        assert (float(mean.detach()), int(count)) == (0, 0)
        mean.backward()


def test_pairs_are_those_that_are_wanted() -> None:
    given = predictions()
    vectors, words = given.pairs()
    assert words.tolist() == [1, 3, 2, 4, 1, 5]
    torch.testing.assert_close(vectors[2], given.vectors[0, 1])
    assert F.pairwise_distance(vectors[3], vectors[5]) < 1e-5
