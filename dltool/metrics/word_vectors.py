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
        a, b, c = unit[part[:, :3]].unbind(dim=1)
        cosines = (b - a + c) @ unit.T  # (Q, V), up to a factor for each question
        cosines.scatter_(1, part[:, :3], -torch.inf)
        solved.append(cosines.argmax(dim=1) == part[:, 3])
    return torch.cat(solved) if solved else torch.zeros(0, dtype=torch.bool)


def similarity_correlation(vectors: Tensor, pairs: Tensor, scores: Tensor) -> float:
    """Spearman's correlation of the cosines of word pairs `(P, 2)` with human similarity scores `(P,)`."""
    first, second = vectors.float()[pairs].unbind(dim=1)
    return spearman(F.cosine_similarity(first, second).cpu(), scores)
