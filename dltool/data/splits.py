"""Seeded, stratified splits: of fixed size, or the folds of a cross-validation."""

import torch
from torch import Tensor

from dltool.core.errors import DataError
from dltool.core.numerals import counted
from dltool.core.randomness import generator
from dltool.core.shell import setting
from dltool.data.arrays import RawData, Split
from dltool.data.label_strata import fold_of_each_labelled, take_labelled
from dltool.data.series_layout import SeriesLayout


def make_splits(
    raw: RawData,
    *,
    val_fraction: float,
    test_fraction: float,
    seed: int,
    num_folds: int | None = None,
    fold: int = 0,
) -> dict[str, Split]:
    """Make the test and validation splits that `raw` lacks.

    An official test or validation split stays whole. Otherwise the test split is taken first, so that it is the same
    for every `val_fraction`; validation is never taken from it. Both fractions are of all the samples that are split,
    and samples keep their order within a split. Each class keeps its share (`stratified_sizes`), and each of several
    labels nearly (`take_labelled`); numbers are split at random, samples of a series in time (`split_in_time`). With
    `num_folds`, the fold replaces the test split, or the validation split if an official test split exists, and the
    fraction of that split is ignored.

    Args:
        raw: Checked data. If nothing is held out, all three splits are the same samples.
        val_fraction: In [0, 1); 0 makes no validation split.
        test_fraction: The same for the test split.
        seed: Seed of the split, separate from a run's, so that runs with several seeds have the same test set.
        num_folds: Folds of a cross-validation; None splits by fractions only.
        fold: Which one is held out, from 0.

    Returns:
        "train" and, where they exist, "val" and "test".

    Raises:
        DataError: A fraction above 0 gives no sample, or no training sample is left; the fold does not exist.
    """
    if num_folds is not None:
        check_folds(raw, num_folds, fold)
    if not raw.held_out:
        return {"train": raw.train, "val": raw.train, "test": raw.train}
    if raw.series is not None:
        return split_in_time(raw, raw.series, val_fraction=val_fraction, test_fraction=test_fraction)
    total = len(raw.train)
    stratify = raw.target in ("classes", "binary", "labels")
    labels = raw.train.targets if stratify else torch.zeros(total, dtype=torch.int64)
    take, folds_of = (_take, fold_of_each) if labels.ndim == 1 else (take_labelled, fold_of_each_labelled)
    rest = torch.randperm(total, generator=generator(seed, "split"))

    splits = raw.splits
    if num_folds is not None:
        name = "val" if "test" in splits else "test"
        held_out = folds_of(labels, num_folds, rest) == fold
        splits[name] = raw.train.select(held_out.nonzero()[:, 0])
        rest = rest[~held_out[rest]]
    for name, fraction in (("test", test_fraction), ("val", val_fraction)):
        if name not in splits and fraction > 0:
            count = _count(name, fraction, total, len(rest))
            chosen, rest = take(rest, labels, count)
            splits[name] = raw.train.select(chosen.sort().values)
    splits["train"] = raw.train.select(rest.sort().values) if len(rest) < total else raw.train
    return {name: splits[name] for name in ("train", "val", "test") if name in splits}


def split_in_time(raw: RawData, series: SeriesLayout, *, val_fraction: float, test_fraction: float) -> dict[str, Split]:
    """Split into training, validation and test, one after the other in time.

    A sample belongs to the split that contains its whole target; one whose target crosses a border belongs to none. The
    inputs of a held-out sample may be from before its split, as in a forecast. Series with dates are split at the same
    time; without dates each is split by itself (Timeline.clock).

    Args:
        raw: Samples of one or several series.
        series: How they lie in time.
        val_fraction: Fraction of the time steps.
        test_fraction: The same.

    Raises:
        DataError: A fraction above 0 gives no sample, or no training sample is left.
    """
    first, last = series.spans.unbind(1)
    ends = torch.full((int(series.clocks.max()) + 1,), -1).scatter_reduce(0, series.clocks, last, "amax")
    totals = (ends + 1).tolist()
    tests = [total - round(test_fraction * total) for total in totals]
    vals = [start - round(val_fraction * total) for start, total in zip(tests, totals, strict=True)]
    test_from, val_from = (torch.tensor(starts)[series.clocks] for starts in (tests, vals))
    members = {
        "train": last < val_from,
        "val": (first >= val_from) & (last < test_from),
        "test": first >= test_from,
    }
    counted = f"{sum(totals)} rows" if len(series.timeline.names) == 1 else f"{sum(totals)} time steps"
    if not members["train"].any():
        raise DataError(
            f"{raw.origin}: of {counted}, data.val_fraction={val_fraction} and data.test_fraction={test_fraction} "
            "leave no training sample",
            "smaller fractions, or a smaller data.window",
        )
    splits = {"train": raw.train.select(members["train"].nonzero()[:, 0])}
    for name, fraction in (("val", val_fraction), ("test", test_fraction)):
        if fraction > 0:
            if not members[name].any():
                raise DataError(
                    f"data.{name}_fraction={fraction} of {counted} contains no complete sample",
                    f"data.{name}_fraction=0",
                )
            splits[name] = raw.train.select(members[name].nonzero()[:, 0])
    return splits


def first_samples(train: Split, count: int, raw: RawData, seed: int) -> Split:
    """The first samples of a seeded permutation, in the order of the split; a larger number adds to a smaller one.

    Each class keeps its share at every number: its members are spread evenly over the permutation.

    Args:
        train: The training split.
        count: The number of samples.
        raw: The data.
        seed: Seed of the split.

    Raises:
        DataError: There are fewer samples.
    """
    total = len(train)
    check_train_samples(count, total, raw.origin, "sample")
    order = torch.randperm(total, generator=generator(seed, "train_samples"))
    if raw.target in ("classes", "binary"):
        labels = train.targets[order]
        place = torch.empty(total, dtype=torch.float64)
        for label in labels.unique():
            members = (labels == label).nonzero()[:, 0]
            place[members] = (torch.arange(len(members), dtype=torch.float64) + 0.5) / len(members)
        order = order[place.argsort(stable=True)]
    return train.select(order[:count].sort().values)


def check_train_samples(count: int, total: int, origin: str, unit: str) -> None:
    """Raises DataError if the training split has fewer samples, or tokens, lines or images, than data.train_samples."""
    if count > total:
        raise DataError(
            f"data.train_samples={count}: the training split of {origin} has {counted(total, unit)}",
            f"{setting('data.train_samples', total)}, or data.train_samples=null for all",
        )


def check_folds(raw: RawData, num_folds: int, fold: int) -> None:
    """Raises DataError if the folds are not possible."""
    total = len(raw.train)
    if not raw.held_out:
        raise DataError(
            f"data.num_folds={num_folds}: the {total} samples of {raw.origin} are not split", "data.num_folds=null"
        )
    if raw.series is not None:
        raise DataError(f"data.num_folds={num_folds}: {raw.origin} is split in time", "data.num_folds=null")
    if "val" in raw.splits and "test" in raw.splits:
        raise DataError(f"data.num_folds={num_folds}: {raw.origin} has official splits", "data.num_folds=null")
    if not 2 <= num_folds <= total:
        raise DataError(f"data.num_folds={num_folds} of {total} samples: 2 … {total} are possible", "data.num_folds=5")
    if fold >= num_folds:
        raise DataError(f"data.fold={fold}: the folds are 0 … {num_folds - 1}", f"data.fold={num_folds - 1}")


def fold_of_each(labels: Tensor, num_folds: int, order: Tensor | None = None) -> Tensor:
    """The fold in which each sample is held out: stratified, of sizes that differ by at most one.

    As scikit-learn's StratifiedKFold: the sorted labels, classes in order of first appearance, are assigned to the
    folds in turn; that determines the number of samples of each class in a fold. Without an order, the indices are also
    the same (and equal to KFold's, if all labels are equal); with one, only the numbers of each class in each fold.

    Args:
        labels: int64 `(N,)`.
        num_folds: At least 2.
        order: A permutation; samples of each class are assigned to the folds in this order. None: the order of the
            data.

    Returns:
        int64 `(N,)`.
    """
    order = torch.arange(len(labels)) if order is None else order
    sizes = torch.bincount(labels)
    first = {label: int((labels == label).int().argmax()) for label in labels.unique().tolist()}
    folds = torch.empty(len(labels), dtype=torch.int64)
    assigned = 0  # Position in the sorted labels.
    for label in sorted(first, key=lambda label: first[label]):
        size = int(sizes[label])
        turns = torch.arange(assigned, assigned + size) % num_folds
        members = order[labels[order] == label]
        folds[members] = turns.sort().values  # Neighbours stay together, as in StratifiedKFold.
        assigned += size
    return folds


def stratified_sizes(class_sizes: list[int], count: int) -> list[int]:
    """The number of samples to take of each class, in the classes' proportions, with the sum `count`.

    Largest remainder: each class gets its quota rounded down, then the classes with the largest remainders get one more
    (at a tie, the lower label).
    """
    total = sum(class_sizes)
    quotas = [divmod(count * size, total) for size in class_sizes]  # Remainder in 1/total.
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
    """Take the first rows of each class, `count` in total; returns the rows taken and the rest."""
    row_labels = labels[rows]
    sizes = stratified_sizes(torch.bincount(row_labels).tolist(), count)
    taken = torch.zeros(len(rows), dtype=torch.bool)
    for label, size in enumerate(sizes):
        taken[(row_labels == label).nonzero()[:size]] = True
    return rows[taken], rows[~taken]
