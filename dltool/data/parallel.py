"""Two files whose lines are translations of each other."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData
from dltool.data.sequence_data import PairData
from dltool.data.split_files import TextRows, find_split_files, joined
from dltool.data.text_file import SETTING, TextFile
from dltool.declarations.component import Location, Membership, register, requires

NAMES = ("train", "val", "test")


@register("data", "parallel", into=PairData, inputs="sequence", targets="sequence")
@requires(
    lambda config: config.data.source is not None and config.data.target is not None,
    "data=parallel needs two files, or the endings of two files' names",
    hint="data.source=FILE data.target=FILE, or data.root=FOLDER data.source=de data.target=en",
)
@requires(
    lambda config: (config.data.val_source is None) == (config.data.val_target is None),
    "data.val_source and data.val_target belong together, but one of them is null",
    hint="data.val_source=FILE data.val_target=FILE",
)
@requires(
    lambda config: (config.data.test_source is None) == (config.data.test_target is None),
    "data.test_source and data.test_target belong together, but one of them is null",
    hint="data.test_source=FILE data.test_target=FILE",
)
def parallel(
    _rng: torch.Generator,
    *,
    root: Location[str | None] = None,
    source: Location[str | None] = None,
    target: Location[str | None] = None,
    val_source: Location[str | None] = None,
    val_target: Location[str | None] = None,
    test_source: Location[str | None] = None,
    test_target: Location[str | None] = None,
    encoding: Membership[str] = "auto",
) -> RawData:
    """Translations, line by line; files may be gzipped.

    Args:
        _rng: Not used.
        root: A folder with files such as train.de, val.de and test_2016.de.gz, and their counterparts that end in .en.
        source: With a root, the ending of the names of the input files, "de"; else the input file itself.
        target: The same for the target files, "en".
        val_source: A file of the validation split; null takes that of the root, or splits off part of the training
            data.
        val_target: Its counterpart.
        test_source: A file of the test split; null as for val_source.
        test_target: Its counterpart.
        encoding: Of the files, if they are not Unicode; see data=csv.

    Raises:
        DataError: The files do not match; the message names them and their numbers of lines.
    """
    assert source is not None
    assert target is not None
    sides = ((source, val_source, test_source, "source"), (target, val_target, test_target, "target"))
    sources, targets = (side_files(root, *side) for side in sides)
    if lacking := sources.keys() ^ targets.keys():
        name = min(lacking)
        there = sources.get(name) or targets.get(name)
        raise DataError(
            f"the {name} split has {there}, but no file in the other language",
            f"data.{name}_source=FILE data.{name}_target=FILE",
        )
    opened = {
        name: [TextFile(side[name], encoding, SETTING) for side in (sources, targets)]
        for name in NAMES
        if name in sources
    }
    splits = {name: read_pairs(*pair) for name, pair in opened.items()}
    return joined(
        splits,
        "sequence",
        origin=str(sources["train"].parent if root else sources["train"]),
        notes=(
            *(note for pair in opened.values() for file in pair for note in file.notes),
            *repeated_pairs(splits),
        ),
    )


def repeated_pairs(splits: Mapping[str, TextRows]) -> list[str]:
    """Say how many pairs are not translations, and how many are in another split, too."""
    notes, known = [], set()
    for name, split in splits.items():
        pairs = list(zip(split.inputs, split.targets, strict=True))
        if (same := sum(source == target for source, target in pairs)) * 2 > len(pairs):
            notes.append(f"{same:,} of {len(pairs):,} lines of data.source and data.target are the same ({name})")
        if name == "train":
            known = set(pairs)
        elif shared := sum(pair in known for pair in pairs):
            notes.append(f"{shared:,} of {len(pairs):,} pairs of the {name} split are in the training split, too")
    if len(splits) == 1 and len(known) < len(pairs):
        again = f"{len(pairs) - len(known):,} of {len(pairs):,} pairs occur before in the files"
        notes.append(f"{again}, so that pairs of the test split can be in the training split")
    return notes


def side_files(root: str | None, train: str, val: str | None, test: str | None, side: str) -> dict[str, Path]:
    """The files of one language, by their split."""
    named = {name: Path(path).expanduser().resolve() for name, path in (("val", val), ("test", test)) if path}
    if root is None:
        return {"train": Path(train).expanduser().resolve()} | named
    ending = train.removeprefix(".")
    keys = {"train": side, "val": f"val_{side}", "test": f"test_{side}"}
    return find_split_files(Path(root), (f".{ending}", f".{ending}.gz"), keys, named)


def read_pairs(source: TextFile, target: TextFile) -> TextRows:
    """The lines of both files; pairs of empty lines are left out.

    Raises:
        DataError: One has more lines than the other, or an empty line where the other has a text.
    """
    ours, theirs = lines_of(source), lines_of(target)
    shorter = min(len(ours), len(theirs))
    if not any((*ours[shorter:], *theirs[shorter:])):  # Blank lines at the end of one file.
        ours, theirs = ours[:shorter], theirs[:shorter]
    if len(ours) != len(theirs):
        raise DataError(
            f"{source.path} has {len(ours):,} lines, but {target.path} has {len(theirs):,}",
            "each line needs its counterpart; a line break inside a text splits it into two lines",
        )
    kept: list[int] = []
    for place, pair in enumerate(zip(ours, theirs, strict=True)):
        if all(pair):
            kept.append(place)
        elif any(pair):
            empty, other = (source, target) if pair[1] else (target, source)
            raise DataError(
                f"{empty.path}, line {place + 1} is empty, but that of {other.path} is not", "remove both lines"
            )
    return TextRows([ours[i] for i in kept], [theirs[i] for i in kept], [i + 1 for i in kept])


def lines_of(file: TextFile) -> Sequence[str]:
    """All lines, including empty ones, without surrounding blanks."""
    return [line.strip() for line in file.read().removesuffix("\n").split("\n")]
