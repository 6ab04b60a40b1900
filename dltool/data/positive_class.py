"""The positive class of data with two classes, which is the second one."""

from dataclasses import replace

import torch

from dltool.data.arrays import RawData, Split
from dltool.data.target_column import put_positive_last


def with_positive(raw: RawData, positive: str | int | None) -> RawData:
    """The data with its classes in the order negative, positive; data with more classes is unchanged.

    Args:
        raw: With classes in the order of their names.
        positive: A class; "auto" for the rarer one of all samples, or the last if both have at least 45 %; None for the
            last.

    Raises:
        DataError: The positive class is named, but is none of two classes.
    """
    splits = raw.splits
    labels = torch.cat([split.targets for split in splits.values()]).double().numpy()
    ordered, names = put_positive_last(labels, list(raw.class_names), positive, raw.origin)
    choices = {**raw.choices, "data.positive": names[1]} if positive == "auto" and len(names) == 2 else raw.choices
    if tuple(names) == raw.class_names:
        return replace(raw, choices=choices)
    parts = torch.from_numpy(ordered).long().split([len(split) for split in splits.values()])
    swapped = {
        name: Split(split.inputs, part, split.rows) for (name, split), part in zip(splits.items(), parts, strict=True)
    }
    return RawData(**{**vars(raw), **swapped, "class_names": tuple(names), "choices": choices})
