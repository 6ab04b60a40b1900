"""The targets of images from a table: a row for each image, with its file and its class, number or labels."""

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData, Split
from dltool.data.csv_file import CsvTable, read_csv
from dltool.data.csv_table import find_column, shortened
from dltool.data.image_files import SUFFIXES, ImageFiles
from dltool.data.notation import rewritten
from dltool.data.table_notes import alike_notes
from dltool.data.table_target import Kind, TableTarget, read_targets
from dltool.data.text_file import CONVERT, assumed_encoding

NAMED = 3  # Files that an error names.


class Keys(NamedTuple):
    """The keys of data=image_folder about its table; see image_folder."""

    labels: str
    file_column: str | int | None
    target: str | int | list[str | int] | None
    kind: Kind
    positive: str | int | None
    separator: str | None
    unlabelled: Literal["refuse", "skip"]


class ImageTable(NamedTuple):
    """The rows of a table that name images.

    Attributes:
        origin: The path of the table.
        images: The index of the image of each row.
        targets: The targets of the rows.
        notations: Notes on how numbers are written.
    """

    origin: str
    images: list[int]
    targets: TableTarget
    notations: list[str]


def read_image_table(root: Path, paths: Sequence[str], keys: Keys) -> ImageTable:
    """Read the table and find the image of each row.

    Args:
        root: The folder of the images.
        paths: The images below it.
        keys: See image_folder.

    Raises:
        DataError: A row names no image, two rows name the same one, or an image has no row.
    """
    targets = keys.target if isinstance(keys.target, list) else [] if keys.target is None else [keys.target]
    named = [name for name in (*targets, keys.file_column) if isinstance(name, str)]
    with assumed_encoding("auto", "auto", CONVERT):  # Data of images has no data.encoding.
        table = read_csv(Path(keys.labels).expanduser(), expected=named)
    places = Places.of(root, paths)
    column = file_column(table, keys.file_column, places)
    indices = [find_column(table, name, "data.target") for name in targets] or other_column(table, column)
    if column in indices:
        raise DataError(
            f"{table.origin}: the column {table.names[column]} names the files, and is not a target",
            "data.file_column=COLUMN names the column of the files",
        )
    images = found_images(table, column, places)
    texts = keys.kind == "classes" or keys.separator is not None
    table, notations = rewritten(table, [] if texts else indices, "auto", "auto", "refuse")
    notes = [f"column {name}: {notation.describe()}" for name, notation in notations.items()]
    found = read_targets(table, indices, keys.kind, keys.positive, keys.separator)
    kept = labelled_rows(table, found, images, paths, keys)
    return ImageTable(table.origin, [images[row] for row in np.flatnonzero(kept)], found.select(kept, table), notes)


class Places(NamedTuple):
    """The images of a folder by the texts that can name them.

    Attributes:
        root: The folder.
        paths: Normalized path below the root to the image's index.
        others: Name with and without suffix to the indices of the images of this name.
    """

    root: Path
    paths: dict[str, int]
    others: dict[str, list[int]]

    @classmethod
    def of(cls, root: Path, paths: Sequence[str]) -> "Places":
        others: dict[str, list[int]] = {}
        for place, path in enumerate(paths):
            file = Path(composed(path))
            for text in {str(file.with_suffix("")), file.name, file.stem}:
                others.setdefault(text, []).append(place)
        return cls(root, {composed(path): place for place, path in enumerate(paths)}, others)

    def find(self, cell: str) -> list[int]:
        """The images that a cell names: by the path below the root, else by the name, with or without its suffix."""
        text = os.path.normpath(composed(cell.strip()).replace("\\", "/"))
        if os.path.isabs(text):  # noqa: PTH117 (the text is no Path)
            text = os.path.relpath(text, composed(str(self.root)))
        return [self.paths[text]] if text in self.paths else self.others.get(text, [])


def composed(path: str) -> str:
    """The path with é as one character: macOS writes names of files with two, and tables usually with one."""
    return unicodedata.normalize("NFC", path)


def file_column(table: CsvTable, wanted: str | int | None, places: Places) -> int:
    """The column of the files; if none is given, the one with the most cells that name an image.

    Raises:
        DataError: No cell names an image.
    """
    if wanted is not None:
        return find_column(table, wanted, "data.file_column")
    counts = [sum(bool(places.find(cell)) for cell in cells if cell.strip()) for cells in table.columns]
    best = int(np.argmax(counts))
    if counts[best] == 0:
        images = next(iter(places.paths), "no image")
        raise DataError(
            f"{table.origin}: no column names an image of {places.root}, such as {images}",
            "data.file_column=COLUMN, whose cells are paths below data.root",
        )
    return best


def other_column(table: CsvTable, column: int) -> list[int]:
    """The target where data.target is not given: the only other column."""
    others = [index for index in range(len(table.names)) if index != column]
    if len(others) != 1:
        raise DataError(
            f"data.target is not set; the columns of {table.origin} are {shortened(table.names)}",
            "data.target=COLUMN, by its name or its number",
        )
    return others


def found_images(table: CsvTable, column: int, places: Places) -> list[int]:
    """The index of the image of each row.

    Raises:
        DataError: A row names no image or several, or two rows name the same one.
    """
    cells = [cell.strip() for cell in table.columns[column]]
    found = [places.find(cell) for cell in cells]
    if missing := [row for row, images in enumerate(found) if not images]:
        raise DataError(
            f"{table.origin}: row {table.rows[missing[0]]} names {cells[missing[0]]!r}, but {places.root} has no such "
            f"image; {len(missing):,} of {len(cells):,} rows name no image"
            f"{': ' + ', '.join(cells[row] for row in missing[:NAMED]) if missing[1:] else ''}"
            f"{', …' if missing[NAMED:] else ''}",
            f"remove the rows or add the files ({', '.join(sorted(SUFFIXES))}); names are relative to data.root",
        )
    for row, images in enumerate(found):
        if len(images) > 1:
            raise DataError(
                f"{table.origin}: row {table.rows[row]} names {cells[row]!r}, and {len(images)} images have this name",
                "name the path below data.root",
            )
    first: dict[int, int] = {}
    for row, (image,) in enumerate(found):
        if first.setdefault(image, row) != row:
            raise DataError(
                f"{table.origin}: rows {table.rows[first[image]]} and {table.rows[row]} both name {cells[row]!r}",
                "remove one of them; for several labels, one row with data.separator",
            )
    return [images[0] for images in found]


def labelled_rows(
    table: CsvTable, targets: TableTarget, images: Sequence[int], paths: Sequence[str], keys: Keys
) -> np.ndarray:
    """The rows with a target, bool `(N,)`.

    Raises:
        DataError: A cell is missing or an image has no row, unless `unlabelled` is "skip".
    """
    labelled = np.logical_not(np.any(targets.missing, axis=1))
    lost = sorted(set(range(len(paths))) - {image for image, kept in zip(images, labelled, strict=True) if kept})
    if not lost or keys.unlabelled == "skip":
        if not labelled.any():
            raise DataError(f"{table.origin}: the target is missing in every row", "data.target=COLUMN")
        return labelled
    row = next((table.rows[row] for row, image in enumerate(images) if image == lost[0]), None)
    why = f"row {row} has no value for" if row is not None else "no row names"
    listed = f": {', '.join(paths[place] for place in lost[:NAMED])}" if lost[1:] else ""
    raise DataError(
        f"{table.origin}: {why} the image {paths[lost[0]]}; {len(lost):,} of {len(paths):,} images have no target"
        f"{listed}{', …' if lost[NAMED:] else ''}",
        "add them to the file, or data.unlabelled=skip leaves them out",
    )


def with_table(files: ImageFiles, splits: Sequence[str], keys: Keys) -> RawData:
    """The images that a table labels, in the split of each ("train", "val" or "test").

    Raises:
        DataError: See read_image_table; or no training image is labelled.
    """
    read = read_image_table(files.root, files.paths, keys)
    names = [splits[image] for image in read.images]
    images, targets = torch.tensor(read.images), read.targets.tensor()
    parts = {}
    for name in ("train", "val", "test"):
        rows = torch.tensor([row for row, own in enumerate(names) if own == name], dtype=torch.int64)
        if len(rows):
            parts[name] = Split(images[rows], targets[rows])
    if "train" not in parts:
        raise DataError(f"{read.origin}: no training image is labelled", "check data.split_file, data.root")
    lost = len(files.paths) - len(read.images)
    skipped = [f"{lost:,} images have no target and are left out (data.unlabelled=skip)"] if lost else []
    kind = read.targets.kind
    return RawData(
        parts["train"],
        parts.get("val"),
        parts.get("test"),
        kind,
        read.targets.class_names,
        target_dim=read.targets.target_dim,
        origin=read.origin,
        files=files,
        choices=read.targets.choices,
        describes_target=True,
        notes=(
            f"{read.origin}: the targets of {len(read.images):,} images",
            *read.targets.describe(standardized=kind == "numbers"),
            *(f"{read.origin}: {note}" for note in alike_notes(read.targets.class_names)),
            *read.notations,
            *skipped,
        ),
    )
