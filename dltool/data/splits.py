"""Seeded, stratified splits of fixed size."""

import torch
from torch import Tensor

from dltool.data.arrays import RawData, Split
from dltool.errors import DataError
from dltool.randomness import generator


def make_splits(raw: RawData, *, val_fraction: float, test_fraction: float, seed: int) -> dict[str, Split]:
    """Cut off what `raw` does not bring of a test and a validation split.

    An official test or validation split stays whole. Otherwise the test split is cut first, so that it is
    the same for every `val_fraction`; validation is never taken from it. Both fractions are of all the
    samples that are cut up, and samples keep their order within a split. Each class keeps its share
    (`stratified_sizes`); numbers are split at random.

    Args:
        raw: Checked data. Where nothing is held out, all three splits are the same samples.
        val_fraction: In [0, 1); 0 makes no validation split.
        test_fraction: The same for the test split.
        seed: Of the split alone, apart from a run's, so that runs of several seeds meet the same test set.

    Returns:
        "train" and, where they exist, "val" and "test".

    Raises:
        DataError: A fraction above 0 gives no sample, or no training sample is left.
    """
    if not raw.held_out:
        return {"train": raw.train, "val": raw.train, "test": raw.train}
    total = len(raw.train)
    stratify = raw.target in ("classes", "binary")
    labels = raw.train.targets if stratify else torch.zeros(total, dtype=torch.int64)
    rest = torch.randperm(total, generator=generator(seed, "split"))

    splits = raw.splits
    for name, fraction in (("test", test_fraction), ("val", val_fraction)):
        if name not in splits and fraction > 0:
            count = _count(name, fraction, total, len(rest))
            chosen, rest = _take(rest, labels, count)
            splits[name] = raw.train.select(chosen.sort().values)
    splits["train"] = raw.train.select(rest.sort().values) if len(rest) < total else raw.train
    return {name: splits[name] for name in ("train", "val", "test") if name in splits}


def stratified_sizes(class_sizes: list[int], count: int) -> list[int]:
    """How many to take of each class so that they sum to `count` in the classes' proportions.

    Largest remainder: each class gives its quota rounded down, then the classes with the largest
    remainders give one more (the lower label at a tie).
    """
    total = sum(class_sizes)
    quotas = [divmod(count * size, total) for size in class_sizes]  # Whole samples; remainder in 1/total.
    sizes = [whole for whole, _ in quotas]
    by_remainder = sorted(range(len(quotas)), key=lambda label: -quotas[label][1])
    for label in by_remainder[: count - sum(sizes)]:
        sizes[label] += 1
    return sizes


def _count(name: str, fraction: float, total: int, available: int) -> int:
    count = int(fraction * total + 0.5)
    if count == 0:
        raise DataError(
            f"data.{name}_fraction={fraction} of {total} samples is an empty {name} split",
            hint=f"data.{name}_fraction=0",
        )
    if count >= available:
        raise DataError(
            f"data.{name}_fraction={fraction} of {total} samples leaves no training sample",
            hint=f"a smaller data.{name}_fraction",
        )
    return count


def _take(rows: Tensor, labels: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Take the first rows of each class, `count` in all; returns the rows taken and the rest."""
    row_labels = labels[rows]
    sizes = stratified_sizes(torch.bincount(row_labels).tolist(), count)
    taken = torch.zeros(len(rows), dtype=torch.bool)
    for label, size in enumerate(sizes):
        taken[(row_labels == label).nonzero()[:size]] = True
    return rows[taken], rows[~taken]
