"""Pooling of the features of a sequence's positions to one vector."""

from typing import Literal

import torch
from torch import Tensor, nn

Pooling = Literal["last", "mean", "max", "attention"]


class SequencePooling(nn.Module):
    """One vector per sequence, from its positions without the padding.

    Args:
        kind: "last" is the layer's state after the whole sequence, "mean" and "max" are taken of each component over
            the positions, and "attention" is an average with learned weights: softmax over the positions of
            uᵀ tanh(W h_t + b) (Yang et al. 2016, "Hierarchical attention networks", equations 5 to 7).
        dim: F, the width of the features.

    Attributes:
        weights: `(B, T)`, those of the last call of "attention", each row summing to 1, for plots; None if
            `keeps_weights` is not set.
    """

    def __init__(self, kind: Pooling, dim: int) -> None:
        super().__init__()
        self.kind = kind
        self.score = nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Linear(dim, 1, bias=False))
        if kind != "attention":
            del self.score
        self.keeps_weights = False
        self.weights: Tensor | None = None

    def forward(self, features: Tensor, mask: Tensor | None, last: Tensor) -> Tensor:
        """Pool features `(B, T, F)` to `(B, F)`.

        Args:
            features: Of each position.
            mask: `(B, T)`, True where a position is not padding; None means everywhere.
            last: `(B, F)`, the features after the whole sequence has been read.
        """
        if self.kind == "last":
            return last
        if mask is None:
            mask = torch.ones(features.shape[:2], dtype=torch.bool, device=features.device)
        holds = mask[:, :, None]  # (B, T, 1)
        if self.kind == "max":
            return features.masked_fill(~holds, -torch.inf).amax(dim=1)
        if self.kind == "mean":
            return features.masked_fill(~holds, 0).sum(dim=1) / holds.sum(dim=1).clamp(min=1)
        weights = self.score(features).masked_fill(~holds, -torch.inf).softmax(dim=1)
        if self.keeps_weights:
            self.weights = weights[:, :, 0].detach()
        return (weights * features).sum(dim=1)
