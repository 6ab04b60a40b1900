"""What word2vec predicts from what."""

import pytest
import torch

from dltool.core.spec import DataSpec
from dltool.layers.word_windows import context_mask
from dltool.models.word2vec import Word2Vec

SPEC = DataSpec((8,), num_tokens=20)
# One block of four words with two before and behind them: 2 3 [4 5 6 7] 8 9.
WORDS = torch.arange(2, 10)[None]
REACH = torch.tensor([[[2, 1], [1, 1], [0, 2], [0, 0]]])
CONTEXTS = {4: [2, 3, 5], 5: [4, 6], 6: [7, 8], 7: []}


def test_the_context_of_each_word() -> None:
    mask = context_mask(REACH, 8)
    assert {4 + row: WORDS[0][mask[0, row]].tolist() for row in range(4)} == CONTEXTS


def test_skip_gram_predicts_each_context_word_from_the_center() -> None:
    model = Word2Vec(SPEC, architecture="skip_gram", dim=5)
    vectors, words = model.predictions(WORDS, REACH).pairs()
    assert words.tolist() == [2, 3, 5, 4, 6, 7, 8]
    torch.testing.assert_close(vectors, model.inputs(torch.tensor([4, 4, 4, 5, 5, 6, 6])))


def test_cbow_predicts_the_center_from_the_mean_of_uneven_contexts() -> None:
    model = Word2Vec(SPEC, architecture="cbow", dim=5)
    vectors, words = model.predictions(WORDS, REACH).pairs()
    assert words.tolist() == [4, 5, 6], "7 has no context, and is not predicted"
    expected = [model.inputs.weight[CONTEXTS[word]].mean(dim=0) for word in (4, 5, 6)]
    torch.testing.assert_close(vectors, torch.stack(expected))


def test_initial_weights_are_those_of_word2vec_c() -> None:
    model = Word2Vec(SPEC, dim=50)
    assert float(model.inputs.weight.detach().abs().max()) == pytest.approx(0.01, rel=0.05)
    assert not model.outputs.weight.any()


def test_sparse_gradients_are_the_dense_ones() -> None:
    gradients = []
    for sparse in (False, True):
        torch.manual_seed(0)
        model = Word2Vec(SPEC, dim=4, sparse=sparse)
        model.predictions(WORDS, REACH).pairs()[0].square().sum().backward()
        assert model.inputs.weight.grad is not None
        assert model.inputs.weight.grad.is_sparse == sparse
        gradients.append(model.inputs.weight.grad.to_dense() if sparse else model.inputs.weight.grad)
    torch.testing.assert_close(*gradients)
