"""Notes on images that are in two splits: a test on training images measures memory."""

import hashlib
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from dltool.data.arrays import Split


def copy_notes(splits: Mapping[str, Split], name: Callable[[int], str]) -> list[str]:
    """Say how many held-out images are training images too, pixel for pixel, and how many of these differ in label.

    Args:
        splits: Decoded images, uint8 `(N, C, H, W)`.
        name: The path of the image at a place of the data; see Split.places.
    """
    train = splits["train"]
    known = {digest: place for place, digest in enumerate(digests(train.inputs))}
    notes = []
    for split_name, split in splits.items():
        if split_name == "train":
            continue
        pairs = [(place, known[digest]) for place, digest in enumerate(digests(split.inputs)) if digest in known]
        if not pairs:
            continue
        own, other = pairs[0]
        labelled = sum(not torch.equal(split.targets[a], train.targets[b]) for a, b in pairs)
        example = f"{name(int(split.places[own]))} is {name(int(train.places[other]))}"
        differ = f"; {labelled:,} with another label there" if labelled else ""
        notes.append(
            f"{len(pairs):,} of {len(split):,} images of the {split_name} split are copies of training images, pixel "
            f"for pixel: {example}{differ}"
        )
    return notes


def digests(images: Tensor) -> list[bytes]:
    """A hash of the pixels of each image `(N, C, H, W)`."""
    return [hashlib.sha1(pixels, usedforsecurity=False).digest() for pixels in images.flatten(1).contiguous().numpy()]
