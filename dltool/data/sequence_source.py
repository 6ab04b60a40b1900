"""Draws batches of padded sequences: sequences of similar length together, each batch padded to its longest."""

from collections.abc import Iterator
from typing import Any, Literal, Self

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.randomness import generator
from dltool.data.arrays import Split
from dltool.data.batch_source import IsOwn, RowsOf, SamplesInMemory, every
from dltool.data.sequences import SequenceSplit
from dltool.data.source import TrainSource


class SequenceSource(TrainSource):
    """A TrainSource that groups sequences of similar length, to reduce padding.

    In each epoch the sequences are sorted by length, equally long ones at random, and cut into batches, which are
    shuffled. The cuts depend only on the lengths, so that every epoch has the same number of batches.

    Args:
        split: The samples before they are encoded; its targets are those of `samples` where these are labels.
        samples: The sequences.
        batch_tokens: Largest number of tokens in a batch, padding included, instead of a fixed number of sequences; a
            single longer sequence is its own batch. None: `batch_size` sequences.
        grouped: False shuffles all and pads each batch to its longest sequence.
        shared: See TrainSource.
    """

    unit: Literal["samples", "tokens"] = "tokens"

    def __init__(
        self,
        split: Split,
        *,
        samples: SequenceSplit,
        batch_tokens: int | None = None,
        grouped: bool = True,
        **shared: Any,
    ) -> None:
        super().__init__(split, **shared)
        self.samples = samples
        self.lengths = samples.lengths
        self.grouped = grouped and self.shuffle and not self.balanced and not self.by_class
        self.kept = min(len(split), self.batches_per_epoch * self.batch_size)  # With drop_last, others in each epoch.
        if self.grouped and batch_tokens is None:
            self.starts = [*range(0, self.kept, self.batch_size), self.kept]
        elif self.grouped and batch_tokens is not None:
            self.kept = len(split)
            self.starts = cut_by_tokens(self.lengths.sort().values.tolist(), batch_tokens)
            self.batches_per_epoch = len(self.starts) - 1
        self.all_batches = self.batches_per_epoch

    @property
    def samples_per_epoch(self) -> int:
        """Tokens in one epoch, without padding; in a shortened epoch, its share of them."""
        return round(int(self.lengths.sum()) * self.batches_per_epoch / self.all_batches)

    def order(self, epoch: int) -> Tensor:
        if not self.grouped:
            return super().order(epoch)
        rng = generator(self.seed, "permutation", epoch)
        shuffled = torch.randperm(len(self.lengths), generator=rng)[: self.kept]
        by_length = shuffled[self.lengths[shuffled].sort(stable=True).indices]
        batches = [by_length[start:stop] for start, stop in zip(self.starts, self.starts[1:], strict=False)]
        chosen = torch.randperm(len(batches), generator=rng).tolist()
        self._bounds = [0]
        for batch in chosen:
            self._bounds.append(self._bounds[-1] + len(batches[batch]))
        return torch.cat([batches[batch] for batch in chosen])

    def place(self, draw: int) -> tuple[int, slice]:
        epoch, batch = self.position(draw)
        if not self.grouped:
            return epoch, slice(batch * self.batch_size, (batch + 1) * self.batch_size)
        if epoch != self._prepared_epoch:
            self._prepare_epoch(epoch)
        return epoch, slice(self._bounds[batch], self._bounds[batch + 1])

    def divide(self, rows_of: RowsOf) -> None:
        """Batches stay whole: each is padded to its longest sequence."""

    def draw(self) -> Batch:
        part = self.next_part()
        batch = self.samples.batch(self._order[part], self.device)
        self.draws += 1
        return batch

    def samples_in_memory(self) -> SamplesInMemory | None:
        return None  # Batches of similar length need their own processing.

    def copy_at_start(self) -> Self:
        source = super().copy_at_start()
        source._bounds = []
        return source

    def _prepare_epoch(self, epoch: int) -> None:
        self._order = self.order(epoch)
        self._prepared_epoch = epoch


def cut_by_tokens(lengths: list[int], batch_tokens: int) -> list[int]:
    """The starts of batches in sequences sorted by length, and the end of the last one.

    Args:
        lengths: In ascending order.
        batch_tokens: See SequenceSource.
    """
    starts = [0]
    for place, length in enumerate(lengths):
        size = place - starts[-1]
        if size > 0 and (size + 1) * length > batch_tokens:
            starts.append(place)
    return [*starts, len(lengths)]


def evaluation_batches(
    samples: SequenceSplit, *, device: torch.device, batch_size: int, is_own: IsOwn = every
) -> Iterator[Batch | None]:
    """One pass over a split in its order, each batch padded to its longest sequence.

    None takes the place of a batch that is not this process's own.
    """
    for number, rows in enumerate(torch.arange(len(samples)).split(batch_size)):
        yield samples.batch(rows, device) if is_own(number) else None
