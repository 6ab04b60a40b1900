"""The shares of the classes of a data set, as text."""

from collections.abc import Sequence

import numpy as np

SHOWN = 6  # Classes or labels that a line names.


def describe_shares(counts: Sequence[int], class_names: Sequence[str]) -> str:
    """The number of classes, and the count and the share of each of the first ones."""
    listed = [f"{name} ({share(count, sum(counts))})" for name, count in zip(class_names, counts, strict=True)]
    return f"{len(listed)} classes, {first_of(listed)}"


def describe_labels(values: np.ndarray, class_names: Sequence[str]) -> str:
    """The number of labels, the first ones with their count and share, and how many each sample has."""
    num, counts = len(values), values.sum(axis=0).astype(int).tolist()
    listed = [f"{name} ({share(count, num)})" for name, count in zip(class_names, counts, strict=True)]
    without = int((values.sum(axis=1) == 0).sum())
    return f"{len(listed)} labels, {first_of(listed)}; {sum(counts) / num:.3g} per sample, {without:,} samples without"


def share(count: int, total: int) -> str:
    return f"{count:,}, {100 * count / total:.3g} %"


def first_of(items: Sequence[str]) -> str:
    return ", ".join([*items[:SHOWN], *(["…"] if items[SHOWN:] else [])])
