"""Batches for a hand-written loop, from tensors in memory."""

from collections.abc import Iterator
from typing import Any

import torch

from dltool.core.batch import Batch
from dltool.data.batch_source import BatchSource, SamplesInMemory, TokensInMemory
from dltool.data.source import take

Batches = Iterator[Any]  # Inputs and targets; for a stream of text a Batch with `continues`.


def batches_in_memory(source: BatchSource) -> Batches | None:
    """Batches of data in memory; None if a hand-written loop would need more than one indexing per batch."""
    if (samples := source.samples_in_memory()) is not None:
        return shuffled_batches(samples)
    if (tokens := source.tokens_in_memory()) is not None:
        return stream_batches(tokens)
    return None


def stream_batches(source: TokensInMemory) -> Batches:
    """Continuing columns, epoch after epoch, or random crops."""
    tokens, size, length = source.tokens, source.batch_size, source.length
    if source.batching == "crops":
        offsets = torch.arange(length + 1, device=tokens.device)
        while True:
            starts = torch.randint(len(tokens) - length, (size, 1), device=tokens.device)
            rows = tokens[starts + offsets].long()  # (B, T + 1)
            yield Batch(rows[:, :-1], rows[:, 1:], size)
    width = (len(tokens) - 1) // size
    columns = torch.stack([tokens[row * width : (row + 1) * width + 1] for row in range(size)])  # (B, L + 1)
    while True:
        for start in range(0, width, length):
            rows = columns[:, start : start + length + 1].long()
            yield Batch(rows[:, :-1], rows[:, 1:], size, continues=start > 0)


def shuffled_batches(source: SamplesInMemory) -> Batches:
    """Batches from two tensors, epoch after epoch; augmented in the same way as in dltool."""
    inputs, device = source.inputs, source.device
    targets = source.targets.to(inputs.device)
    scaling, augment, size = source.scaling, source.augment, source.batch_size
    epoch = draw = 0
    while True:
        order = torch.randperm(len(inputs), device=inputs.device) if source.shuffle else torch.arange(len(inputs))
        if augment is not None:
            tables = augment.tables(order.cpu(), 0, epoch, device)
        for start in range(0, source.batches_per_epoch * size, size):
            rows = order[start : start + size]
            batch = take(inputs, rows, device)
            if source.resize is not None:
                batch = source.resize(batch)
            if augment is not None:
                batch = augment.vary(batch, [table[start : start + size] for table in tables], 0, draw)
            if scaling is not None:
                batch = scaling(batch)
            yield batch, take(targets, rows, device)
            draw += 1
        epoch += 1
