"""Attention of a recurrent decoder: from each of its states to the positions of what it reads from."""

from typing import Literal

import torch
from torch import Tensor, nn


class SequenceAttention(nn.Module):
    """Scores of each state s against each position h of a memory, softmax over the positions, weighted sum.

        additive: vᵀ tanh(W s + U h)    Bahdanau et al. 2015 (arXiv:1409.0473), appendix A.1.2
        dot:      sᵀ W h                Luong et al. 2015 (arXiv:1508.04025), equation 8, "general": their "dot" with a
                                        linear map, so that the two may differ in width

    Deviation from Bahdanau et al.: s is the decoder's state after it has read a token, as in Luong et al. (section
    3.1), not the one before, which is to read the weighted sum too. All states of a sequence are then known before
    their sums are, and one matrix product makes all of these, where the other order is a loop in Python.

    Args:
        kind: The scores.
        dim: Of the states, and of what is compared.
        memory_dim: F, of the memory.

    Attributes:
        keeps_weights: Whether forward() leaves its weights in `weights`, for pictures.
        weights: `(B, U, S)` of the newest call, each row summing to 1.
    """

    def __init__(self, kind: Literal["additive", "dot"], dim: int, memory_dim: int) -> None:
        super().__init__()
        self.key = nn.Linear(memory_dim, dim, bias=False)
        self.additive = kind == "additive"
        if self.additive:
            self.query = nn.Linear(dim, dim, bias=False)
            self.score = nn.Linear(dim, 1, bias=False)
        self.keeps_weights = False
        self.weights: Tensor | None = None

    def forward(self, states: Tensor, memory: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        """The weighted sums, `(B, U, F)`.

        Args:
            states: `(B, U, D)`.
            memory: `(B, S, F)`.
            keys: `self.key(memory)`, `(B, S, D)`, which is computed once for all that is decoded from a memory.
            mask: `(B, S)`, True where the memory holds something.
        """
        if self.additive:
            scores = self.score(torch.tanh(self.query(states)[:, :, None] + keys[:, None]))[..., 0]  # (B, U, S)
        else:
            scores = states @ keys.transpose(1, 2)  # (B, U, S)
        weights = scores.masked_fill(~mask[:, None], -torch.inf).softmax(dim=2)
        if self.keeps_weights:
            self.weights = weights.detach()
        return weights @ memory
