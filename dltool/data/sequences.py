"""Sequences of tokens of different lengths, in memory without padding."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.spec import PAD
from dltool.text.tokenizer import Encoded


class Sequences:
    """N sequences of tokens, one after the other; only batches of them are padded.

    Args:
        tokens: int32, those of all sequences.
        lengths: The length of each, int64 `(N,)`, on the CPU.
        fill: The value of padding.
    """

    def __init__(self, tokens: Tensor, lengths: Tensor, fill: int = PAD) -> None:
        self.tokens = tokens
        self.lengths = lengths
        self.fill = fill
        self.longest = int(lengths.max()) if len(lengths) else 0
        self.ends = lengths.cumsum(0)
        self._bounds = torch.stack([self.ends - lengths, self.ends]).to(tokens.device)  # (2, N)

    @classmethod
    def of(cls, rows: Iterable[Sequence[int]], fill: int = PAD) -> Self:
        arrays = [np.empty(0, np.int32), *(np.asarray(row, np.int32) for row in rows)]
        return cls(torch.from_numpy(np.concatenate(arrays)), torch.tensor(list(map(len, arrays[1:]))).long(), fill)

    @classmethod
    def encoded(cls, texts: Encoded, begin: int | None = None, end: int | None = None, fill: int = PAD) -> Self:
        """The tokens of texts, with a first and a last one for each, if given."""
        lengths = texts.lengths + (begin is not None) + (end is not None)
        ends = lengths.cumsum()
        tokens, own = np.empty(lengths.sum(), np.int32), np.ones(lengths.sum(), bool)
        for token, places in ((begin, ends - lengths), (end, ends - 1)):
            if token is not None:
                tokens[places], own[places] = token, False
        tokens[own] = texts.tokens
        return cls(torch.from_numpy(tokens), torch.from_numpy(lengths), fill)

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def nbytes(self) -> int:
        return self.tokens.nbytes

    def to(self, device: torch.device) -> Self:
        return type(self)(self.tokens.to(device), self.lengths, self.fill)

    def cut(self, length: int) -> Self:
        """The first `length` tokens of each."""
        places = torch.arange(len(self.tokens)) - (self.ends - self.lengths).repeat_interleave(self.lengths)
        return type(self)(self.tokens[places < length], self.lengths.clamp(max=length), self.fill)

    def padded(self, rows: Tensor, length: int) -> Tensor:
        """Some sequences, at most `length` tokens long, right-padded to `length`.

        Args:
            rows: int64 `(B,)`, on the CPU.
            length: T; less if all sequences are shorter, whether in `rows` or not.

        Returns:
            int64 `(B, T)`, on the device of the tokens.
        """
        starts, ends = self._bounds[:, rows.to(self._bounds.device, non_blocking=True)][..., None]  # (B, 1) each
        places = starts + torch.arange(min(length, self.longest), device=self.tokens.device)
        filled = self.tokens[places.clamp(max=len(self.tokens) - 1)].long()
        return filled.masked_fill_(places >= ends, self.fill)

    def rows(self) -> list[list[int]]:
        """The tokens of each sequence."""
        return [part.tolist() for part in self.tokens.cpu().split(self.lengths.tolist())]


@dataclass(frozen=True)
class SequenceSplit:
    """The samples of one split.

    Attributes:
        inputs: A sequence for each.
        targets: A sequence for each, or int64 `(N,)`.
    """

    inputs: Sequences
    targets: Sequences | Tensor

    def __len__(self) -> int:
        return len(self.inputs)

    @cached_property
    def lengths(self) -> Tensor:
        """The longer of each sample's input and target, int64 `(N,)`, on the CPU."""
        if isinstance(self.targets, Tensor):
            return self.inputs.lengths.clamp(min=1)
        return self.inputs.lengths.maximum(self.targets.lengths)

    def batch(self, rows: Tensor, device: torch.device) -> Batch:
        """The samples of `rows`, int64 `(B,)` on the CPU, padded to the longest of them."""
        length = int(self.lengths[rows].max())
        inputs = self.inputs.padded(rows, length)
        if device.type == "cuda" and inputs.device.type == "cpu":
            inputs = inputs.pin_memory()
        if isinstance(self.targets, Tensor):
            targets = self.targets[rows.to(self.targets.device, non_blocking=True)]
        else:
            targets = self.targets.padded(rows, length)
        return Batch(inputs.to(device, non_blocking=True), targets.to(device), len(rows))
