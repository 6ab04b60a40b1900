"""Your own images: a folder for each class."""

import csv
import io
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.arrays import RawData, Split
from dltool.data.contents import note_file
from dltool.data.folder_data import FolderData
from dltool.data.image_files import SUFFIXES, ImageFiles, is_hidden
from dltool.data.image_table import Keys, with_table
from dltool.data.positive_class import with_positive
from dltool.data.split_files import SPLITS
from dltool.data.table_notes import alike_notes, shortened
from dltool.data.target_column import MOST_NUMBERED_CLASSES
from dltool.declarations.component import Handling, Location, Membership, SplitLocation, register, requires

SPLIT_FOLDERS = {name: split for split, names in SPLITS.items() for name in names.split("|")}  # In lower case.
LISTED = 10  # Classes in a note.
LAYOUT = "data.root=FOLDER with FOLDER/<class>/*.jpg, or FOLDER/train/<class>/*.jpg next to val and test"


@register(
    "data",
    "image_folder",
    into=FolderData,
    inputs="image",
    targets="classes",
    open_with=("labels",),
    two_classes=True,
)
@requires(
    lambda config: config.data.labels is not None or (config.data.target is None and config.data.separator is None),
    "data.target and data.separator are about a table of labels, but data.labels names none",
    hint="data.labels=FILE.csv",
)
def image_folder(
    _rng: torch.Generator,
    *,
    root: Location[str | None] = None,
    split_file: SplitLocation[str | None] = None,
    channels: Handling[Literal["rgb", "grey"]] = "rgb",
    labels: Location[str | None] = None,
    file_column: Membership[str | int | None] = None,
    target: Membership[str | int | list[str | int] | None] = None,
    separator: Membership[str | None] = None,
    kind: Membership[Literal["auto", "classes", "integer_classes", "numbers"]] = "auto",
    positive: Membership[str | int | None] = "auto",
    unlabelled: Membership[Literal["refuse", "skip"]] = "refuse",
) -> RawData:
    """Class folders, `root/<class>/…`, or `root/train|val|test/<class>/…`, which state the split.

    With `labels`, a table states the class, the number or the labels of each image, and the images are in any folders;
    if the folders in root are train, val and test, they state the split.

    Classes are in the order of their folders' names. Folders inside a class folder are searched too. Hidden files and
    folders, and files without the suffix of a PNG, JPEG, WebP, BMP or GIF, are left out and counted.

    Args:
        root: The folder; null: ./data.
        split_file: A CSV file with a line `path,split` for each image to use, the path relative to root,
            the split train, val or test; it replaces a split by folders. A first line `path,split` is a header.
        channels: Colour mode that images are converted to; transparent pixels become white.
        labels: A table with a row for each image, in the formats of data=csv; null takes the folders as classes.
        file_column: The table's column of files, by its name or number: paths below root, or names that occur once,
            with or without suffix. null is the column with the most names of images.
        target: The table's column to predict, or a list of columns, as for data=csv; null is the only other column.
        separator: The text between the labels in a cell of the target, as for data=csv.
        kind: The kind of the target in the table, as for data=csv. Numbers are learned with mean 0 and deviation 1.
        positive: The positive class of two, as for data=csv, also where folders are the classes.
        unlabelled: How to treat an image without a target in the table: refuse it, or leave it out.

    Raises:
        DataError: The folder does not have this layout, a class has no image, or the split file is wrong; rows and
            images do not match.
    """
    base = Path(root if root is not None else "data").expanduser().resolve()
    if not base.is_dir():
        raise DataError(f"data.root: the folder {base} does not exist", LAYOUT)
    scan = Scan(base)
    num_channels = {"rgb": 3, "grey": 1}[channels]
    if labels is not None:
        scan.read_unlabelled()
        if split_file is not None:
            scan.assign(read_split_file(Path(split_file).expanduser().resolve()), split_file)
        files = ImageFiles(base, [image.path for image in scan.images], num_channels, scan.notes())
        keys = Keys(labels, file_column, target, kind, positive, separator, unlabelled)
        return with_table(files, [image.split for image in scan.images], keys)
    stated = {} if split_file is not None else split_folders(base)
    if stated:
        scan.count_loose(base)
    for name, folder in (stated or {"train": base}).items():
        scan.read_classes(folder, name)
    if split_file is not None:
        scan.assign(read_split_file(Path(split_file).expanduser().resolve()), split_file)
    return with_positive(labelled(scan, num_channels), positive)


@dataclass
class FoundImage:
    """An image file: its path relative to the root, its class, its split."""

    path: str
    class_name: str
    split: str


@dataclass
class Scan:
    """The images found in a folder.

    Attributes:
        ignored: Suffix, or ".…" for hidden files, to the number of files left out.
    """

    root: Path
    images: list[FoundImage] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)

    def read_classes(self, folder: Path, split: str) -> None:
        """Read every class folder in `folder`."""
        folders = subfolders(folder)
        if not folders:
            images = sum(Path(entry.name).suffix.lower() in SUFFIXES for entry in os.scandir(folder))
            found = f"{images:,} images, but no class folders" if images else "no class folders"
            hint = f"{LAYOUT}; or data.labels=FILE.csv data.target=COLUMN for numbers or classes in a table"
            raise DataError(f"{folder} has {found}", hint)
        for class_folder in folders:
            before, ignored = len(self.images), self.ignored.copy()
            self.read_images(class_folder, class_folder.name, split)
            if len(self.images) == before:
                others = ", ".join(f"{count:,} {kind}" for kind, count in (self.ignored - ignored).items())
                raise DataError(
                    f"the class folder {class_folder} has no images ({', '.join(sorted(SUFFIXES))})"
                    + (f", but {others}" if others else ""),
                    "save the images in one of these formats, such as PNG"
                    if others
                    else f"put images there, or remove the folder: rmdir '{class_folder}'",
                )
        self.count_loose(folder)

    def count_loose(self, folder: Path) -> None:
        """Count the images next to the class folders, or next to the folders of the splits."""
        names = [Path(entry.name) for entry in os.scandir(folder) if not is_hidden(entry.name)]
        self.ignored["in no class folder"] += sum(name.suffix.lower() in SUFFIXES for name in names)

    def read_unlabelled(self) -> None:
        """Read every image, whatever its folder."""
        self.read_images(self.root, "", "train")
        if not self.images:
            raise DataError(f"{self.root} has no images ({', '.join(sorted(SUFFIXES))})", "data.root=FOLDER")
        tops = [Path(image.path).parts[0].lower() for image in self.images]
        if {*tops} <= {*SPLIT_FOLDERS} and "train" in {SPLIT_FOLDERS[top] for top in tops}:
            for image, top in zip(self.images, tops, strict=True):
                image.split = SPLIT_FOLDERS[top]

    def read_images(self, folder: Path, class_name: str, split: str) -> None:
        """Read the images of one class, those of subfolders last."""
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        for entry in entries:
            suffix = Path(entry.name).suffix.lower()
            if is_hidden(entry.name):
                self.ignored["hidden"] += 1
            elif entry.is_file() and suffix in SUFFIXES:
                self.images.append(FoundImage(os.path.relpath(entry.path, self.root), class_name, split))
            elif not entry.is_dir():
                self.ignored[suffix or "without a suffix"] += 1
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and not is_hidden(entry.name):
                self.read_images(Path(entry.path), class_name, split)

    def assign(self, splits: dict[str, str], file: str) -> None:
        """Take the split of each image from a file, and leave out those that it does not name."""
        found = {image.path for image in self.images}
        if missing := [path for path in splits if path not in found]:
            raise DataError(
                f"data.split_file={file} names {missing[0]}, but no class folder of {self.root} has this image"
                + (f" (nor {len(missing) - 1} more)" if missing[1:] else ""),
                "paths in it are relative to data.root",
            )
        self.ignored["not in the split file"] += len(found) - len(splits)
        self.images = [FoundImage(i.path, i.class_name, splits[i.path]) for i in self.images if i.path in splits]

    def class_names(self) -> tuple[str, ...]:
        """The classes of the training images, at least two; other splits may not have others."""
        trained = {image.class_name for image in self.images if image.split == "train"}
        known = sorted(trained)
        for image in self.images:
            if image.class_name not in trained:
                raise DataError(
                    f"{self.root / image.path} ({image.split}) is of the class {image.class_name}, which has no "
                    "training image",
                    f"the training classes are {', '.join(known)}",
                )
        if len(known) == 1:
            only = self.root / known[0]
            inside = [folder.name for folder in subfolders(only) if holds_images(folder)] if only.is_dir() else []
            hint = "a classifier needs at least two folders"
            if len(inside) > 1:
                classes = setting("data.root", str(only))
                hint = f"{classes} if the classes are {shortened(inside)}"
            raise DataError(f"{self.root} has only one class, {known[0]}", hint)
        return tuple(known)

    def notes(self) -> list[str]:
        ignored = {kind: count for kind, count in self.ignored.items() if count}
        listed = ", ".join(f"{count:,} {kind}" for kind, count in ignored.items())
        return [f"{sum(ignored.values()):,} files left out: {listed}"] if ignored else []


def labelled(scan: Scan, channels: int) -> RawData:
    """The images of a scan with their labels, in the splits that it states."""
    class_names = scan.class_names()
    label = {name: i for i, name in enumerate(class_names)}
    labels = torch.tensor([label[image.class_name] for image in scan.images])
    splits = {
        name: [i for i, image in enumerate(scan.images) if image.split == name] for name in SPLIT_FOLDERS.values()
    }
    parts = {name: Split(torch.tensor(rows), labels[rows]) for name, rows in splits.items() if rows}
    if "train" not in parts:
        raise DataError(f"{scan.root}: the split has no training image", LAYOUT)
    return RawData(
        parts["train"],
        parts.get("val"),
        parts.get("test"),
        "classes",
        class_names,
        origin=str(scan.root),
        files=ImageFiles(scan.root, [image.path for image in scan.images], channels, scan.notes()),
        notes=(
            count_classes(class_names, labels),
            *(f"{scan.root}: {note}" for note in alike_notes(class_names)),
            *ages_note(scan.root, class_names),
        ),
    )


def ages_note(root: Path, names: Sequence[str]) -> tuple[str, ...]:
    """A note where the folders may be numbers to predict, such as ages, rather than classes."""
    if len(names) <= MOST_NUMBERED_CLASSES or not all(name.replace(".", "", 1).isdigit() for name in names):
        return ()
    return (
        f"the {len(names)} folders of {root}, {names[0]} … {names[-1]}, are taken as classes; numbers to predict are "
        "given by data.labels=FILE.csv data.target=COLUMN",
    )


def count_classes(class_names: tuple[str, ...], labels: torch.Tensor) -> str:
    """The first classes with the number of their images."""
    counts = labels.bincount(minlength=len(class_names)).tolist()
    listed = [f"{name} {count:,}" for name, count in zip(class_names[:LISTED], counts, strict=False)]
    return f"{len(class_names):,} classes: {', '.join(listed)}{' …' if class_names[LISTED:] else ''} images"


def split_folders(root: Path) -> dict[str, Path]:
    """The folders that state the split, if any: root/train, and the others, hold class folders and no images."""
    folders = {folder.name: folder for folder in subfolders(root)}
    train = next((folder for name, folder in folders.items() if SPLIT_FOLDERS.get(name.lower()) == "train"), None)
    if train is None or not subfolders(train):
        return {}
    if any(Path(entry.name).suffix.lower() in SUFFIXES for entry in os.scandir(train)):
        return {}  # Then "train" is a class, like "car" and "ship".
    stated: dict[str, Path] = {}
    for name, folder in folders.items():
        split = SPLIT_FOLDERS.get(name.lower())
        if split is None:
            raise DataError(
                f"{root} has {name} next to {train.name}, which is not a split", "name it train, val or test"
            )
        if split in stated:
            raise DataError(f"{root} has {stated[split].name} and {name}", f"only one of them can be the {split} split")
        stated[split] = folder
    return stated


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder that are not hidden, by name."""
    found = sorted(path for path in folder.iterdir() if path.is_dir() and not is_hidden(path.name))
    for path in found:
        if any("\ud800" <= character <= "\udfff" for character in path.name):
            raise DataError(f"the name of the folder {path} is not UTF-8", "rename it")
    return found


def holds_images(folder: Path) -> bool:
    """Whether an image is in the folder, or deeper."""
    return any(Path(name).suffix.lower() in SUFFIXES for _, _, names in os.walk(folder) for name in names)


def read_split_file(path: Path) -> dict[str, str]:
    """Read the split of each path from a CSV file."""
    try:
        content = path.read_bytes()
        note_file(path, content)
        lines = io.StringIO(content.decode("utf-8-sig"), newline="")
        rows = [(number, row) for number, row in enumerate(csv.reader(lines), start=1) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(
            f"data.split_file: {path} cannot be read: {reason}", "a CSV file in UTF-8: path,split"
        ) from error
    splits: dict[str, str] = {}
    for number, row in rows:
        if number == 1 and [cell.strip() for cell in row] == ["path", "split"]:
            continue
        if len(row) != 2 or row[1].strip() not in ("train", "val", "test"):
            raise DataError(
                f"{path} line {number} is {','.join(row)}", "each line is path,split with train, val or test"
            )
        name = os.path.normpath(row[0].strip())
        if splits.setdefault(name, row[1].strip()) != row[1].strip():
            raise DataError(
                f"{path} line {number} puts {name} into {row[1].strip()}, but an earlier line into {splits[name]}"
            )
    return splits
