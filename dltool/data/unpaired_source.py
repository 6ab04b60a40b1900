"""Draws batches of two domains whose images are not paired."""

from typing import Self

from dltool.core.batch import Batch
from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.batch_source import BatchSource
from dltool.data.source import TrainSource


class UnpairedSource(BatchSource):
    """Batches of as many images of domain A (the inputs) as of domain B (the targets).

    Each domain is drawn in its own order, a function of its seed and of the number of batches drawn. An epoch is one
    pass over the domain with more images; the other starts again meanwhile, in a new order.

    Args:
        a, b: The domains, of the same batch size and with different seeds.
        labelled: Whether their targets are classes, which are then in the batches.

    Raises:
        DataError: A domain has fewer images than a batch.
    """

    def __init__(self, a: TrainSource, b: TrainSource, *, labelled: bool) -> None:
        super().__init__()
        self.a, self.b = a, b
        self.labelled = labelled
        longest = max(a.num_samples, b.num_samples)
        for name, source in (("A", a), ("B", b)):
            if source.num_samples == longest:
                continue
            if source.num_samples < source.batch_size:
                raise DataError(
                    f"data.batch_size={source.batch_size} is more than the {source.num_samples} training images of "
                    f"domain {name}",
                    setting("data.batch_size", source.num_samples),
                )
            # The smaller domain leaves out its last, smaller batch, which would shrink the other domain's batch.
            source.batches_per_epoch = source.num_samples // source.batch_size
        self.batches_per_epoch = max(a.batches_per_epoch, b.batches_per_epoch)

    @property
    def samples_per_epoch(self) -> int:
        """The number of pairs of images in one epoch."""
        longest = max(self.a, self.b, key=lambda source: source.num_samples)
        return min(longest.samples_per_epoch, self.batches_per_epoch * longest.batch_size)

    def draw(self) -> Batch:
        self.a.draws = self.b.draws = self.draws
        a, b = self.a.draw(), self.b.draw()
        self.draws += 1
        size = min(a.size, b.size)
        labels = (a.targets[:size], b.targets[:size]) if self.labelled else None
        return Batch(a.inputs[:size], b.inputs[:size], size, labels=labels)

    def keep_first_batches(self, count: int, *, repeat: bool = False) -> None:
        super().keep_first_batches(count, repeat=repeat)
        for source in (self.a, self.b):
            source.keep_first_batches(count, repeat=repeat)

    def copy_at_start(self) -> Self:
        source = super().copy_at_start()
        source.a, source.b = self.a.copy_at_start(), self.b.copy_at_start()
        return source
