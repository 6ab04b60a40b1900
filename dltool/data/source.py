"""Draws batches from tensors in memory: one indexing, an augmentation, one normalisation."""

from collections.abc import Callable, Iterator
from typing import Literal, Self

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.errors import DataError
from dltool.core.randomness import generator
from dltool.data.arrays import Split
from dltool.data.augment import Augmenter
from dltool.data.batch_source import BatchSource, IsOwn, RowsOf, SamplesInMemory, every


class TrainSource(BatchSource):
    """Batches of samples in memory.

    No random state is kept between draws: (seed, "permutation", e) determines the order of epoch e, (seed, e) its
    augmentation, (seed, draws) noise and mixing. Setting `draws` to its earlier value therefore resumes exactly, also
    mid-epoch.

    Args:
        split: The samples. Inputs may be kept on the host while batches go to `device`.
        device: The device of the batches.
        batch_size: Samples per batch, or "full" for all of them.
        seed: The run's seed.
        shuffle: False draws in the order of the split in every epoch.
        drop_last: Leave out an epoch's last batch if it is smaller than the others.
        balanced: Draw equally many of each class, see balanced_order; epoch e by (seed, "balanced", e).
        by_class: Sort each epoch by class; within a class the order stays.
        resize: Resizes the images of a batch to the model's size; None where they have it.
        scaling: Converts a batch to float32 inputs; None where they are float32 already.
        augment: The augmentation of images.

    Raises:
        DataError: `drop_last` leaves no batch.
    """

    def __init__(
        self,
        split: Split,
        *,
        device: torch.device,
        batch_size: int | Literal["full"],
        seed: int,
        shuffle: bool = True,
        drop_last: bool = False,
        balanced: bool = False,
        by_class: bool = False,
        resize: Callable[[Tensor], Tensor] | None = None,
        scaling: Callable[[Tensor], Tensor] | None = None,
        augment: Augmenter | None = None,
    ) -> None:
        super().__init__()
        self.split = split
        self.device = device
        self.batch_size = len(split) if batch_size == "full" else batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.balanced = balanced
        self.by_class = by_class
        self.resize = resize
        self.scaling = scaling
        self.augment = augment if augment is not None and augment.active else None
        if drop_last and self.batch_size > len(split):
            raise DataError(
                f"data.batch_size={batch_size} is more than the {len(split)} training samples, and "
                "data.drop_last=true leaves out the only batch",
                hint="data.drop_last=false",
            )
        whole, rest = divmod(len(split), self.batch_size)
        self.batches_per_epoch = whole if drop_last or rest == 0 else whole + 1
        self._prepared_epoch = -1
        self._rows_of: RowsOf | None = None

    @property
    def num_samples(self) -> int:
        return len(self.split)

    def keep_first_batches(self, count: int, *, repeat: bool = False) -> None:
        super().keep_first_batches(count, repeat=repeat)
        if repeat:
            self.augment = None

    @property
    def samples_per_epoch(self) -> int:
        return min(len(self.split), self.batches_per_epoch * self.batch_size)

    def divide(self, rows_of: RowsOf) -> None:
        if self.augment is None or not self.augment.varies_batches:
            self._rows_of = rows_of

    def draw(self) -> Batch:
        whole = self.next_part()
        part = self.own(whole, len(self._order))
        inputs, targets = take(self.split.inputs, self._order[part], self.device), self._targets[part]
        rows = [table[part] for table in self._tables]
        self.draws += 1
        batch = self.make_batch(inputs, targets, rows, self.draws - 1)
        return batch if part is whole else self.as_part(batch, part, whole)

    def own(self, whole: slice, epoch_size: int) -> slice:
        """This process's part of a batch, which is the same object if batches are not divided."""
        if self._rows_of is None:
            return whole
        rows = self._rows_of(min(whole.stop, epoch_size) - whole.start)
        return slice(whole.start + rows.start, whole.start + rows.stop)

    def as_part(self, batch: Batch, part: slice, whole: slice) -> Batch:
        """The batch of a part, with the place that it has in the whole."""
        full_size = min(whole.stop, len(self._order)) - whole.start
        return batch._replace(full_size=full_size, first_row=part.start - whole.start)

    def last_samples(self) -> list[int]:
        if self.draws == 0:
            return []
        epoch, part = self.place(self.draws - 1)
        samples: list[int] = self._order[part].tolist() if epoch == self._prepared_epoch else []
        return samples

    def place(self, draw: int) -> tuple[int, slice]:
        """The epoch of a draw, and the positions of its samples in the order of that epoch."""
        epoch, position = self.position(draw)
        return epoch, slice(position * self.batch_size, (position + 1) * self.batch_size)

    def next_part(self) -> slice:
        """Prepare the epoch of the next batch; returns the positions of its samples in the epoch's order."""
        epoch, part = self.place(self.draws)
        if epoch != self._prepared_epoch:
            self._prepare_epoch(epoch)
        return part

    def make_batch(self, inputs: Tensor, targets: Tensor, rows: list[Tensor], draw: int) -> Batch:
        """Resize, augment, scale and mix the drawn samples."""
        partners = None
        if self.resize is not None:
            inputs = self.resize(inputs)
        if self.augment is not None:
            inputs = self.augment.vary(inputs, rows, self.seed, draw)
        if self.scaling is not None:
            inputs = self.scaling(inputs)
        if self.augment is not None:
            inputs, partners = self.augment.mix(inputs, targets, self.seed, draw)
        return Batch(inputs, targets, len(targets), partners)

    def samples_in_memory(self) -> SamplesInMemory | None:
        return SamplesInMemory(
            self.split.inputs,
            self.split.targets,
            self.device,
            self.batch_size,
            self.batches_per_epoch,
            self.shuffle,
            self.resize,
            self.scaling,
            self.augment,
        )

    def examples(self, count: int) -> tuple[Tensor, Tensor] | None:
        if self.augment is None:
            return None
        plain, varied = self.copy_at_start(), self.copy_at_start()
        plain.augment = plain.scaling = varied.scaling = None
        return plain.draw().inputs[:count], varied.draw().inputs[:count]

    def first_inputs(self, count: int) -> Tensor:
        source = self.copy_at_start()
        source.augment = None
        drawn: list[Tensor] = []
        while sum(map(len, drawn)) < count and source.epoch == 0:
            drawn.append(source.draw().inputs)
        return torch.cat(drawn)[:count]

    def copy_at_start(self) -> Self:
        source = super().copy_at_start()
        source._prepared_epoch = -1
        source._rows_of = None
        return source

    def order(self, epoch: int) -> Tensor:
        """The order of the samples in an epoch."""
        if self.balanced:
            return balanced_order(self.split.targets.cpu(), generator(self.seed, "balanced", epoch))
        order = torch.arange(len(self.split))
        if self.shuffle:
            order = torch.randperm(len(self.split), generator=generator(self.seed, "permutation", epoch))
        return order[self.split.targets.cpu()[order].argsort(stable=True)] if self.by_class else order

    def _prepare_epoch(self, epoch: int) -> None:
        """Put the order, the targets and the augmentation tables into the order of the epoch, once."""
        order = self.order(epoch)
        # A sample that is drawn several times per epoch is augmented differently each time.
        rows = torch.arange(len(order)) if self.balanced else order
        self._tables = [] if self.augment is None else self.augment.tables(rows, self.seed, epoch, self.device)
        self._order = order.to(self.split.inputs.device)
        self._targets = self.split.targets.index_select(0, order.to(self.split.targets.device)).to(self.device)
        self._prepared_epoch = epoch


def balanced_order(labels: Tensor, rng: torch.Generator) -> Tensor:
    """Draw N samples in random order, equally many of each class that occurs.

    torch's WeightedRandomSampler with the weights 1 / class size has these numbers only in expectation, and also
    repeats samples of frequent classes; here no sample is repeated before all of its class are drawn.

    Args:
        labels: int64 `(N,)`.
        rng: The random generator.

    Returns:
        Positions in `labels`, int64 `(N,)`. If N is not a multiple of the number of classes, some random classes get
        one more.
    """
    classes = labels.unique()
    share, rest = divmod(len(labels), len(classes))
    one_more = torch.randperm(len(classes), generator=rng) < rest
    parts = []
    for label, more in zip(classes, one_more.tolist(), strict=True):
        members = (labels == label).nonzero()[:, 0]
        count = share + more
        rounds = [torch.randperm(len(members), generator=rng) for _ in range(-(-count // len(members)))]
        parts.extend([members[torch.cat(rounds)[:count]]] if count else [])
    drawn = torch.cat(parts)
    return drawn[torch.randperm(len(drawn), generator=rng)]


def evaluation_batches(
    split: Split,
    *,
    device: torch.device,
    batch_size: int,
    resize: Callable[[Tensor], Tensor] | None = None,
    scaling: Callable[[Tensor], Tensor] | None = None,
    is_own: IsOwn = every,
) -> Iterator[Batch | None]:
    """One pass over a split, in order and without augmentation; the last batch may be smaller.

    None takes the place of a batch that is not this process's own.
    """
    targets = split.targets.to(device)
    for number, start in enumerate(range(0, len(split), batch_size)):
        if not is_own(number):
            yield None
            continue
        stop = min(start + batch_size, len(split))
        inputs = take(split.inputs, torch.arange(start, stop, device=split.inputs.device), device)
        if resize is not None:
            inputs = resize(inputs)
        if scaling is not None:
            inputs = scaling(inputs)
        yield Batch(inputs, targets[start:stop], stop - start)


def take(inputs: Tensor, rows: Tensor, device: torch.device) -> Tensor:
    """Copy rows of `inputs` into a new tensor on `device`, asynchronously.

    index_select, not `inputs[rows]`: it copies whole samples and takes a fifteenth of the time on the CPU.
    """
    if inputs.device.type == device.type:
        return inputs.index_select(0, rows)
    # From pinned memory a copy overlaps with computation. The allocator keeps the buffer until it is done.
    pinned = torch.empty((len(rows), *inputs.shape[1:]), dtype=inputs.dtype, pin_memory=device.type == "cuda")
    return torch.index_select(inputs, 0, rows, out=pinned).to(device, non_blocking=True)
