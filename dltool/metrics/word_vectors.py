"""Intrinsic evaluation of word vectors: analogies and word similarity."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dltool.metrics.spearman import spearman

QUESTIONS_AT_ONCE = 256


def analogies_solved(vectors: Tensor, questions: Tensor) -> Tensor:
    """Which of the analogy questions "a is to b as c is to what?" are answered with d.

    3CosAdd (Mikolov et al. 2013a, arXiv:1301.3781, section 4; named by Levy and Goldberg 2014): the answer is the word
    whose vector has the largest cosine with b - a + c, all of length 1, among those that are not a, b or c.

    Args:
        vectors: `(V, D)`, the vectors of all words that may be an answer.
        questions: int64 `(Q, 4)`, indices of rows of `vectors`.

    Returns:
        bool `(Q,)`.
    """
    unit = F.normalize(vectors.float(), dim=1)
    solved = []
    for part in questions.split(QUESTIONS_AT_ONCE):
        solved.append(answer_scores(unit, part[:, :3]).argmax(dim=1) == part[:, 3])
    return torch.cat(solved) if solved else torch.zeros(0, dtype=torch.bool)


def answer_scores(unit: Tensor, words: Tensor) -> Tensor:
    """The product of each vector with b - a + c, `(Q, V)`; -inf for a, b and c themselves.

    Args:
        unit: Vectors of length 1, `(V, D)`.
        words: int64 `(Q, 3)`, a, b and c.
    """
    a, b, c = unit[words].unbind(dim=1)
    scores: Tensor = (b - a + c) @ unit.T  # The cosine up to a factor for each question.
    return scores.scatter_(1, words, -torch.inf)


def analogy_answers(vectors: Tensor, words: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The words nearest to b - a + c by 3CosAdd, and their cosines with it, both `(Q, count)`, the nearest first.

    Args:
        vectors: `(V, D)`, as for analogies_solved.
        words: int64 `(Q, 3)`, a, b and c.
        count: Fewer where there are fewer other words.
    """
    unit = F.normalize(vectors.float(), dim=1)
    a, b, c = unit[words].unbind(dim=1)
    lengths = (b - a + c).norm(dim=1, keepdim=True).clamp(min=1e-12)
    others = len(unit) - max((len(set(row)) for row in words.tolist()), default=0)
    best = answer_scores(unit, words).topk(min(count, others), dim=1)
    return best.indices, best.values / lengths


def similarity_correlation(vectors: Tensor, pairs: Tensor, scores: Tensor) -> float:
    """Spearman's correlation of the cosines of word pairs `(P, 2)` with human similarity scores `(P,)`."""
    first, second = vectors.float()[pairs].unbind(dim=1)
    return spearman(F.cosine_similarity(first, second).cpu(), scores)
