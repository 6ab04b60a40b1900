"""The context windows of the words in a block, which word vectors are trained to predict."""

from typing import NamedTuple

import torch
from torch import Tensor


class WordPredictions(NamedTuple):
    """B blocks; in each, every one of S vectors predicts some of T words.

    Attributes:
        vectors: float32 `(B, S, D)`.
        words: int64 `(B, T)`.
        wanted: bool `(B, S, T)`, which words each vector predicts.
    """

    vectors: Tensor
    words: Tensor
    wanted: Tensor

    def pairs(self) -> tuple[Tensor, Tensor]:
        """The predictions as pairs: a vector `(P, D)` and the word that it predicts `(P,)`."""
        block, row, column = self.wanted.nonzero(as_tuple=True)
        return self.vectors[block, row], self.words[block, column]


def context_mask(reach: Tensor, length: int) -> Tensor:
    """Which positions of a block are context of each of its S middle words, bool `(B, S, T)`; never the word itself.

    Args:
        reach: int64 `(B, S, 2)`, how many words each window extends to the left and right, at most W = (T - S) / 2.
            The S words are the middle ones of their block.
        length: T.
    """
    num_words = reach.shape[1]
    margin = (length - num_words) // 2
    place = torch.arange(num_words, device=reach.device)[:, None] + margin  # (S, 1)
    offset = torch.arange(length, device=reach.device) - place  # (S, T)
    return (offset >= -reach[..., :1]) & (offset <= reach[..., 1:]) & (offset != 0)
