"""Attention of a recurrent decoder: from each of its states to the positions of the encoder's output."""

from typing import Literal

import torch
from torch import Tensor, nn


class SequenceAttention(nn.Module):
    """Scores of each state s with each position h of a memory, softmax over the positions, weighted sum.

        additive: vᵀ tanh(W s + U h)    Bahdanau et al. 2015 (arXiv:1409.0473), appendix A.1.2
        dot:      sᵀ W h                Luong et al. 2015 (arXiv:1508.04025), equation 8, "general": their "dot" with a
                                        linear map, so that the two may differ in width

    Deviation from Bahdanau et al.: s is the decoder's state after it has read a token, as in Luong et al. (section
    3.1), not the state before, which would read the weighted sum too. All states of a sequence are then known before
    their sums, so one matrix product computes all sums; the other order needs a loop in Python.

    Args:
        kind: How the scores are computed.
        dim: Width of the states, and of the keys that they are compared with.
        memory_dim: F, width of the memory.

    Attributes:
        keeps_weights: Whether forward() keeps its weights in `weights`, for plots.
        weights: `(B, U, S)` of the last call, each row summing to 1.
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
            keys: `self.key(memory)`, `(B, S, D)`, computed once per memory.
            mask: `(B, S)`, True where the memory is not padding.
        """
        if self.additive:
            scores = self.score(torch.tanh(self.query(states)[:, :, None] + keys[:, None]))[..., 0]  # (B, U, S)
        else:
            scores = states @ keys.transpose(1, 2)  # (B, U, S)
        weights = scores.masked_fill(~mask[:, None], -torch.inf).softmax(dim=2)
        if self.keeps_weights:
            self.weights = weights.detach()
        return weights @ memory
