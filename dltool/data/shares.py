"""The shares of the classes of a data set: counts for the DataSpec, and text for the user."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dltool.core.spec import IGNORED, DataSpec
from dltool.data.arrays import RawData, Split

SHOWN = 6  # Classes or labels that a line names.


def class_counts(raw: RawData, targets: Tensor) -> dict[str, Any]:
    """The fields class_counts and train_size of the DataSpec.

    Args:
        raw: The data.
        targets: Those of the training split.
    """
    if raw.target == "labels":
        return {"class_counts": tuple(targets.sum(0).tolist()), "train_size": len(targets)}
    if raw.target not in ("classes", "binary", "tags"):
        return {}
    known = targets[targets != IGNORED]  # Of tags, without the padding.
    return {"class_counts": tuple(known.bincount(minlength=len(raw.class_names)).tolist()), "train_size": len(known)}


def class_notes(raw: RawData) -> tuple[str, ...]:
    """The shares of the classes of all samples, and the positive one of two, unless the loader noted them."""
    if raw.target not in ("classes", "binary") or raw.describes_target:
        return ()
    counts = torch.cat([split.targets for split in raw.splits.values()]).bincount(minlength=len(raw.class_names))
    positive = f"; {raw.class_names[1]} is the positive class" if len(raw.class_names) == 2 else ""
    return (f"{describe_shares(counts.tolist(), raw.class_names)}{positive}",)


def absent_notes(raw: RawData, splits: Mapping[str, Split]) -> list[str]:
    """Name the classes without a sample in a split, which cannot be learned, or whose accuracy is not measured."""
    if raw.target not in ("classes", "binary") or not raw.held_out:
        return []
    notes = []
    for name, split in splits.items():
        counts = split.targets.bincount(minlength=len(raw.class_names)).tolist()
        absent = [label for label, count in zip(raw.class_names, counts, strict=True) if count == 0]
        if absent and len(split):
            meaning = "cannot be learned" if name == "train" else "not measured"
            listed = f"{len(absent):,} classes" if absent[1:] else "the class"
            notes.append(f"the {name} split has no sample of {listed} {first_of(absent)}: {meaning}")
    return notes


def majority_baseline(spec: DataSpec, targets: Sequence[Tensor]) -> str:
    """The accuracy of always predicting the most frequent training class; empty if it is unknown."""
    counts = spec.class_counts
    if not counts or spec.target not in ("classes", "binary"):
        return ""
    majority = counts.index(max(counts))
    share = (torch.cat(list(targets)) == majority).double().mean().item()
    return f"accuracy {share:.4f} by always predicting {spec.class_names[majority]}"


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
