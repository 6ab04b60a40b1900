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
from dltool.data.batch_source import RowsOf, SamplesInMemory
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
        self._rows_of: RowsOf = whole
        self.decoder = decoder
        self.on_corrupt = on_corrupt
        self._forget_stream()

    def divide(self, rows_of: RowsOf) -> None:
        if self.augment is None or not self.augment.varies_batches:
            self._rows_of = rows_of
            self._forget_stream()

    def own(self, part: slice, epoch_size: int) -> tuple[slice, int]:
        """This process's part of a batch, and the size of the whole batch."""
        start, size = part.start, min(part.stop, epoch_size) - part.start
        rows = self._rows_of(size)
        return slice(start + rows.start, start + rows.stop), size

    def draw(self) -> Batch:
        part = self.next_part()
        part, full_size = self.own(part, len(self._order))
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
        return batch if len(images) == full_size else batch._replace(full_size=full_size)

    def samples_in_memory(self) -> SamplesInMemory | None:
        return None  # They are files.

    def batches_from(self, draw: int) -> Iterator[list[int]]:
        """The files of each batch from the given draw on, endlessly."""
        prepared, order = -1, torch.empty(0)
        for position in itertools.count(draw):
            epoch, part = self.place(position)
            if epoch != prepared:
                prepared, order = epoch, self.order(epoch)
            yield self.split.inputs[order[self.own(part, len(order))[0]]].tolist()

    def _forget_stream(self) -> None:
        """Start a new stream at the next draw."""
        self._stream = None
        self._streamed = -1  # The next draw of the stream.

    def copy_at_start(self) -> Self:
        source = super().copy_at_start()
        source._rows_of = whole
        source._forget_stream()
        source.decoder = dataclasses.replace(self.decoder, workers=0)
        return source


def whole(size: int) -> slice:
    """All rows of a batch."""
    return slice(0, size)


def evaluation_batches(
    split: Split,
    decoder: Decoder,
    on_corrupt: OnCorrupt,
    *,
    device: torch.device,
    batch_size: int,
    scaling: Callable[[Tensor], Tensor],
) -> Iterator[Batch]:
    """One pass over a split of files, in order and without augmentation; the last batch may be smaller."""
    batches = chunk_rows(split.inputs, batch_size)
    start = 0
    for rows, (images, failures) in zip(batches, decoder.stream(batches), strict=True):
        targets = split.targets[start : start + len(rows)]
        start += len(rows)
        if failures:
            kept = places_kept(torch.tensor(rows), failures, on_corrupt)
            images, targets = images[kept], targets[kept]
        yield Batch(scaling(to_device(images, device)), targets.to(device), len(targets))


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
