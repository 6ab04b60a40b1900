"""Analogies and similarities of made-up vectors."""

import pytest
import torch

from dltool.metrics.word_vectors import analogies_solved, similarity_correlation

KING, QUEEN, MAN, WOMAN, APPLE = range(5)
# Royal, female, fruit.
VECTORS = torch.tensor([[3.0, 0, 0], [3, 3, 0], [0.1, 0, 0.1], [0.1, 3, 0.1], [0, 0, 5]])


def test_the_answer_is_none_of_the_three_words_asked_with() -> None:
    """b - a + c of man : woman, king is nearest to woman itself, which does not count."""
    asked = torch.tensor([[MAN, WOMAN, KING, QUEEN], [MAN, WOMAN, KING, APPLE]])
    assert analogies_solved(VECTORS, asked).tolist() == [True, False]


def test_many_questions_are_answered_in_parts() -> None:
    asked = torch.tensor([[MAN, WOMAN, KING, QUEEN]]).repeat(600, 1)
    assert analogies_solved(VECTORS, asked).all()
    assert len(analogies_solved(VECTORS, asked[:0])) == 0


def test_similarity_is_by_the_cosine() -> None:
    pairs = torch.tensor([[KING, MAN], [KING, QUEEN], [KING, APPLE]])
    vectors = VECTORS.clone()
    vectors[MAN, 2] = 0  # Cosines 1, 0.707, 0; products 0.3, 9, 0.
    assert similarity_correlation(vectors, pairs, torch.tensor([8.0, 7.0, 1.0])) == pytest.approx(1)
