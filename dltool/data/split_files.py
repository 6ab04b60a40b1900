"""Data with a file, or a pair of files, for each split: finds the files and joins their texts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dltool.core.errors import DataError
from dltool.core.spec import Target
from dltool.data.arrays import RawData, Split, Text, Texts

SPLITS = {"train": "train|training", "val": "val|valid|validation|dev", "test": "test|testing"}
SHOWN = 8  # Number of files that a message names.


def find_split_files(
    root: Path, endings: Sequence[str], keys: Mapping[str, str], named: Mapping[str, Path]
) -> dict[str, Path]:
    """The files of a folder, matched to splits by a word in their names, as in `en_ewt-ud-dev.conllu`.

    Args:
        root: The folder.
        endings: Endings of the names, `.conllu` or `.de.gz`.
        keys: From split to the key that can name its file instead, for hints.
        named: Files that are already named; their splits are not searched for.

    Returns:
        "train" and, where they exist, "val" and "test".

    Raises:
        DataError: The folder does not exist, none of its files is of the training split, or several are of one split.
    """
    root = root.expanduser().resolve()
    if not root.is_dir():
        raise DataError(f"{root} is not a folder", "data.root=FOLDER")
    files = sorted(path for path in root.iterdir() if path.name.endswith(tuple(endings)) and path.is_file())
    found = dict(named)
    for split, words in SPLITS.items():
        if split in named:
            continue
        matching = [path for path in files if re.search(rf"(?:^|[-_.])(?:{words})(?:[-_.]|\d|$)", path.name)]
        if len(matching) > 1:
            names = ", ".join(path.name for path in matching[:SHOWN])
            raise DataError(f"{root} has several files of the {split} split: {names}", f"data.{keys[split]}=FILE")
        if matching:
            found[split] = matching[0]
    if "train" not in found:
        there = ", ".join(path.name for path in sorted(root.iterdir())[:SHOWN]) or "nothing"
        raise DataError(
            f"{root} has no file of the training split, whose name contains train and ends in {' or '.join(endings)}; "
            f"it has {there}",
            "data.root=FOLDER" if keys["train"] == "train" else f"data.root=FOLDER, or data.{keys['train']}=ENDING",
        )
    return found


@dataclass(frozen=True)
class TextRows:
    """The samples of one split.

    Attributes:
        inputs: Their texts.
        targets: A text, a class, or a class for each word, for each sample.
        rows: The position of each in its file, counted from 1.
    """

    inputs: Sequence[Text]
    targets: Sequence[Any]
    rows: Sequence[int]


def joined(splits: Mapping[str, TextRows], target: Target, **shared: Any) -> RawData:
    """Join the data of several files; `shared` are fields of RawData."""
    inputs: list[Text] = []
    targets: list[Any] = []
    parts: dict[str, Split] = {}
    for name, split in splits.items():
        places = torch.arange(len(inputs), len(inputs) + len(split.inputs))
        labels = torch.tensor(split.targets, dtype=torch.int64) if target == "classes" else places
        parts[name] = Split(places, labels, torch.tensor(split.rows, dtype=torch.int64))
        inputs += split.inputs
        targets += split.targets
    texts = Texts(inputs, () if target == "classes" else targets)
    return RawData(parts["train"], parts.get("val"), parts.get("test"), target, texts=texts, **shared)
