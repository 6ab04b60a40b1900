"""Batches of one long text: columns that continue from batch to batch, or crops from anywhere."""

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.randomness import generator
from dltool.data.batch_source import BatchSource, TokensInMemory

Batching = Literal["columns", "crops"]


class StreamSource(BatchSource):
    """Training batches of a stream of tokens; the target of each token is the next token.

    "columns" cuts the stream into `batch_size` equal columns, side by side; each batch is the next `length` tokens of
    every column, so that row b of a batch continues row b of the batch before (Mikolov et al. 2010; the
    `batchify` of torch's examples). "crops" draws `batch_size` random positions, by (seed, draws), as nanoGPT does; an
    epoch is then the number of crops that covers the stream once.

    Args:
        tokens: Integers `(N,)`, on the device of the batches, more than `length` of them.
        batch_size: Rows per batch.
        length: Tokens per row.
        batching: See above.
        seed: The run's seed.
    """

    unit: Literal["samples", "tokens"] = "tokens"

    def __init__(self, tokens: Tensor, *, batch_size: int, length: int, batching: Batching, seed: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.batch_size = batch_size
        self.length = length
        self.batching = batching
        self.seed = seed
        self.columns = as_columns(tokens, batch_size) if batching == "columns" else None
        per_row = (len(tokens) - 1) // batch_size if batching == "columns" else (len(tokens) - 1) / batch_size
        self.batches_per_epoch = -int(-per_row // length)  # Rounded up.
        self.offsets = torch.arange(length + 1, device=tokens.device)

    @property
    def samples_per_epoch(self) -> int:
        """Tokens in one epoch."""
        return min(len(self.tokens) - 1, self.batches_per_epoch * self.batch_size * self.length)

    def tokens_in_memory(self) -> TokensInMemory:
        return TokensInMemory(self.tokens, self.batch_size, self.length, self.batching)

    def draw(self) -> Batch:
        _, number = self.position(self.draws)
        self.draws += 1
        if self.columns is not None:
            return column_batch(self.columns, number * self.length, self.length)
        place = number if self.repeats else self.draws - 1
        last = len(self.tokens) - self.length
        starts = torch.randint(last, (self.batch_size, 1), generator=generator(self.seed, "crops", place))
        rows = self.tokens[starts.to(self.tokens.device) + self.offsets].long()  # (B, T + 1)
        return Batch(rows[:, :-1], rows[:, 1:], len(rows))


def as_columns(tokens: Tensor, batch_size: int) -> Tensor:
    """The stream cut into equal pieces, one per row, `(B, L + 1)`: each ends with the first token of the next.

    A view of the tokens, which are contiguous: a copy of a long text would take as much memory again.
    """
    length = (len(tokens) - 1) // batch_size
    return tokens.as_strided((batch_size, length + 1), (length, 1))


def column_batch(columns: Tensor, start: int, length: int) -> Batch:
    """The next `length` tokens of each column from `start`, or the remaining ones."""
    part = columns[:, start : start + length + 1].long()
    return Batch(part[:, :-1], part[:, 1:], len(part), continues=start > 0)


def evaluation_batches(tokens: Tensor, *, batch_size: int, length: int, batching: Batching) -> Iterator[Batch]:
    """One pass over a held-out stream, in which each token except the first is predicted once.

    Columns continue as in training; the few tokens after the last column are a separate row. Where training draws
    crops, a row is a separate piece of `length` tokens, so that its first tokens have little context.
    """
    if batching == "columns":
        columns = as_columns(tokens, min(batch_size, max(1, (len(tokens) - 1) // length)))
        yield from in_turn(columns, length)
        yield from in_turn(tokens[columns.numel() - len(columns) :][None], length)
        return
    whole = (len(tokens) - 1) // length
    inputs, targets = (tokens[shift : shift + whole * length].view(whole, length) for shift in (0, 1))
    for start in range(0, whole, batch_size):
        rows = slice(start, start + batch_size)
        yield Batch(inputs[rows].long(), targets[rows].long(), len(inputs[rows]))
    yield from in_turn(tokens[whole * length :][None], length)


def in_turn(columns: Tensor, length: int) -> Iterator[Batch]:
    """All of `(B, L + 1)`, `length` tokens at a time, fewer in the last batch."""
    for start in range(0, columns.shape[1] - 1, length):
        yield column_batch(columns, start, length)
