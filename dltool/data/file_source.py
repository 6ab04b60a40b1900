"""Draws batches from image files that are decoded again each time, by workers that prefetch."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import Any, Self

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.errors import RunError
from dltool.data.arrays import Split
from dltool.data.batch_source import IsOwn, RowsOf, SamplesInMemory, every
from dltool.data.decoding_workers import Failures
from dltool.data.image_files import Decoder, chunk_rows
from dltool.data.source import TrainSource

# Handles files that cannot be decoded; gets the reason by the index of the file.
OnCorrupt = Callable[[dict[int, str]], None]


class FileSource(TrainSource):
    """A TrainSource whose samples are indices of files.

    The workers only decode; which files make which batch follows from the seed and the number of batches drawn. So the
    batches are the same with any number of workers, and after a resume.

    Args:
        split: With inputs int64 `(N,)`, the indices of the files.
        decoder: Decodes them.
        on_corrupt: Called with the files that cannot be decoded; unless it raises, the batch continues without them.
        shared: See TrainSource.

    Raises:
        RunError: No file of a batch could be decoded.
    """

    _streamed: int
    _stream: Iterator[tuple[Tensor, Failures]] | None

    def __init__(self, split: Split, *, decoder: Decoder, on_corrupt: OnCorrupt, **shared: Any) -> None:
        super().__init__(split, **shared)
        self.decoder = decoder
        self.on_corrupt = on_corrupt
        self._forget_stream()

    def divide(self, rows_of: RowsOf) -> None:
        super().divide(rows_of)
        self._forget_stream()

    def draw(self) -> Batch:
        whole = self.next_part()
        part = self.own(whole, len(self._order))
        if self._stream is None or self._streamed != self.draws:
            self._forget_stream()  # Its workers end before others start.
            self._stream = self.decoder.stream(self.batches_from(self.draws))
            self._streamed = self.draws
        images, failures = next(self._stream)
        self.draws += 1
        self._streamed += 1
        rows = [table[part] for table in self._tables]
        targets = self._targets[part]
        if failures:
            files = self.split.inputs[self._order[part]]
            kept = places_kept(files, failures, self.on_corrupt).to(self.device)
            images, targets = images[kept.cpu()], targets[kept]
            rows = [table[kept] for table in rows]
        batch = self.make_batch(to_device(images, self.device), targets, rows, self.draws - 1)
        return self.as_part(batch, part, whole)

    def samples_in_memory(self) -> SamplesInMemory | None:
        return None  # They are files.

    def batches_from(self, draw: int) -> Iterator[list[int]]:
        """The files of each batch from the given draw on, endlessly."""
        prepared, order = -1, torch.empty(0)
        for position in itertools.count(draw):
            epoch, part = self.place(position)
            if epoch != prepared:
                prepared, order = epoch, self.order(epoch)
            yield self.split.inputs[order[self.own(part, len(order))]].tolist()

    def _forget_stream(self) -> None:
        """Start a new stream at the next draw."""
        self._stream = None
        self._streamed = -1  # The next draw of the stream.

    def copy_at_start(self) -> Self:
        source = super().copy_at_start()
        source._forget_stream()
        source.decoder = dataclasses.replace(self.decoder, workers=0)
        return source


def evaluation_batches(
    split: Split,
    decoder: Decoder,
    on_corrupt: OnCorrupt,
    *,
    device: torch.device,
    batch_size: int,
    scaling: Callable[[Tensor], Tensor],
    is_own: IsOwn = every,
) -> Iterator[Batch | None]:
    """One pass over a split of files, in order and without augmentation; the last batch may be smaller.

    None takes the place of a batch that is not this process's own; its files are not read.
    """
    batches = chunk_rows(split.inputs, batch_size)
    own = {number: rows for number, rows in enumerate(batches) if is_own(number)}
    before = -1
    for (number, rows), (images, failures) in zip(own.items(), decoder.stream(own.values()), strict=True):
        yield from itertools.repeat(None, number - before - 1)
        before = number
        targets = split.targets[number * batch_size : number * batch_size + len(rows)]
        if failures:
            kept = places_kept(torch.tensor(rows), failures, on_corrupt)
            images, targets = images[kept], targets[kept]
        yield Batch(scaling(to_device(images, device)), targets.to(device), len(targets))
    yield from itertools.repeat(None, len(batches) - before - 1)


def places_kept(files: Tensor, failures: Failures, on_corrupt: OnCorrupt) -> Tensor:
    """The positions in a batch whose files could be decoded, int64, at least one."""
    on_corrupt({int(files[place]): reason for place, reason in failures})
    kept = torch.ones(len(files), dtype=torch.bool)
    kept[[place for place, _ in failures]] = False
    if not kept.any():
        raise RunError(f"none of the {len(files)} images of a batch can be decoded", "data.corrupt=refuse names them")
    return kept.nonzero().squeeze(1)


def to_device(images: Tensor, device: torch.device) -> Tensor:
    return images.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else images.to(device)
