"""CIFAR-10 and CIFAR-100, from a folder, an archive or, on request, by download.

Both have 50,000 training and 10,000 test images of 32×32 RGB pixels (Krizhevsky 2009, "Learning multiple layers of
features from tiny images"); the official test set stays whole. As in nearly every recipe for them since He et al.
(2016, arXiv:1512.03385, section 4.2), the options train on random crops after padding by 4, half of them mirrored.
"""

import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData, Split
from dltool.data.contents import note_file
from dltool.data.download import Remote, fetch
from dltool.data.image_data import ImageData
from dltool.data.plain_pickle import PickleError, load_plain
from dltool.declarations.component import Location, Placement, Source, register

SHAPE = (3, 32, 32)
MAX_BYTES = 2**28  # Of a file in the archive; the largest has 154 MB.
AGAIN = "delete it and run with data.download=true, or put a complete one there"


@dataclass(frozen=True)
class Layout:
    """The "python version" of one data set: pickled dicts of `data`, uint8 `(N, 3072)`, and lists of labels.

    Attributes:
        archive: The whole data set as a tar file.
        folder: What it unpacks to, as torchvision's datasets leave it.
        train, test, meta: Names of the files there.
    """

    archive: Remote
    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    meta: str

    @property
    def files(self) -> tuple[str, ...]:
        return *self.train, *self.test, self.meta


CIFAR10 = Layout(
    Remote("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a"),
    "cifar-10-batches-py",
    ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"),
    ("test_batch",),
    "batches.meta",
)
CIFAR100 = Layout(
    Remote("https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85"),
    "cifar-100-python",
    ("train",),
    ("test",),
    "meta",
)


@register("data", "cifar10", into=ImageData, inputs="image", targets="classes")
def cifar10(_rng: torch.Generator, *, root: Location[str | None] = None, download: Placement[bool] = False) -> RawData:
    """Ten classes of animals and vehicles.

    Args:
        root: Folder that holds cifar-10-batches-py/, its files, or cifar-10-python.tar.gz; null: ./data.
        download: Fetch the archive to root, and unpack it there, if none of these is there.
    """
    return load_cifar(CIFAR10, "labels", "label_names", root, download)


@register("data", "cifar100", into=ImageData, inputs="image", targets="classes")
def cifar100(
    _rng: torch.Generator,
    *,
    root: Location[str | None] = None,
    download: Placement[bool] = False,
    labels: Source[Literal["fine", "coarse"]] = "fine",
) -> RawData:
    """A hundred classes in twenty groups of five.

    Args:
        root: Folder that holds cifar-100-python/, its files, or cifar-100-python.tar.gz; null: ./data.
        download: Fetch the archive to root, and unpack it there, if none of these is there.
        labels: The 100 "fine" classes or the 20 "coarse" ones.
    """
    return load_cifar(CIFAR100, f"{labels}_labels", f"{labels}_label_names", root, download)


def load_cifar(layout: Layout, labels: str, names: str, root: str | None, download: bool) -> RawData:
    """Read one data set.

    Args:
        layout: The layout of the data set.
        labels: Key of the labels in each file.
        names: Key of the classes' names in the file of names.
        root: As in the loaders above.
        download: The same.

    Raises:
        DataError: A file is missing, damaged or contains code to run, or the download failed.
    """
    base = Path(root if root is not None else "data").expanduser().resolve()
    archive = base / layout.archive.name
    folders = (base / layout.folder, base)
    if download and not archive.is_file() and not any(all(present(folder, layout)) for folder in folders):
        fetch(layout.archive, archive)
        unpack(archive, layout)
    folder = next((folder for folder in folders if any(present(folder, layout))), None)
    if folder is not None:
        contents: Mapping[str, Any] = {name: read_file(folder / name) for name in layout.files}
        origin = folder
    elif archive.is_file():
        contents, origin = read_archive(archive, layout), archive
    else:
        found = "" if base.is_dir() else " (the folder does not exist)"
        raise DataError(
            f"neither {layout.folder} nor {archive.name} in {base}{found}",
            hint="data.root=FOLDER, or data.download=true to fetch it",
        )
    places = {name: f"{origin}/{name}" for name in layout.files}
    for name in layout.files:
        note_file(Path(name), contents[name])
    unpickled = {name: read_pickle(contents[name], places[name]) for name in layout.files}
    splits = [
        join([read_batch(unpickled[name], labels, places[name]) for name in part])
        for part in (layout.train, layout.test)
    ]
    class_names = read_names(unpickled[layout.meta], names, places[layout.meta])
    return RawData(splits[0], None, splits[1], "classes", class_names, origin=str(origin))


def present(folder: Path, layout: Layout) -> list[bool]:
    """Whether each image file exists; as other folders may also have "train", the file of names must exist too."""
    if not (folder / layout.meta).is_file() and folder.name != layout.folder:
        return [False]
    return [(folder / name).is_file() for name in layout.files]


def read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"no file {path}", hint="data.root=FOLDER, or data.download=true to fetch it") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def read_archive(archive: Path, layout: Layout) -> dict[str, bytes]:
    """The files' contents by name, in one pass and without unpacking."""
    contents = {}
    members = {f"{layout.folder}/{name}": name for name in layout.files}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                name = members.get(member.name.removeprefix("./"))
                if name is not None and member.isfile() and (file := tar.extractfile(member)) is not None:
                    contents[name] = file.read(MAX_BYTES)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise DataError(f"{archive}: damaged or truncated ({error})", hint=AGAIN) from error
    if missing := [name for name in layout.files if name not in contents]:
        raise DataError(f"{archive}: has no file {layout.folder}/{missing[0]}", hint=AGAIN)
    return contents


def unpack(archive: Path, layout: Layout) -> None:
    """Write the files of the archive to the folder where torchvision has them, so that they open faster."""
    folder = archive.parent / layout.folder
    contents = read_archive(archive, layout)
    try:
        folder.mkdir(exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise DataError(f"{archive} cannot be unpacked to {folder}: {error.strerror or error}") from error


def read_pickle(content: bytes, place: str) -> dict[str, Any]:
    """The dict of one file."""
    try:
        found = load_plain(content)
    except PickleError as error:
        raise DataError(f"{place}: {error}", hint=AGAIN) from error
    if not isinstance(found, dict):
        raise DataError(f"{place}: holds a {type(found).__name__}, not a dict of images and labels", hint=AGAIN)
    return found


def read_batch(batch: dict[str, Any], key: str, place: str) -> Split:
    """The images and labels of one file; the pixels of each are red, green and blue in turn, row by row."""
    images, labels = batch.get("data"), batch.get(key)
    if not isinstance(images, np.ndarray) or images.ndim != 2 or images.shape[1] != int(np.prod(SHAPE)):
        what = f"uint8 {images.shape}" if isinstance(images, np.ndarray) else "missing or not an array"
        raise DataError(f"{place}: `data` is {what}, but must be uint8 (N, {int(np.prod(SHAPE)):,})", hint=AGAIN)
    if not isinstance(labels, list) or not all(type(label) is int and abs(label) < 2**31 for label in labels):
        raise DataError(f"{place}: `{key}` is not a list of labels", hint=AGAIN)
    if len(images) != len(labels):
        raise DataError(f"{place}: has {len(images):,} images, but {len(labels):,} labels", hint=AGAIN)
    return Split(torch.from_numpy(images).view(len(images), *SHAPE), torch.tensor(labels, dtype=torch.int64))


def join(parts: list[Split]) -> Split:
    return Split(torch.cat([part.inputs for part in parts]), torch.cat([part.targets for part in parts]))


def read_names(meta: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
    """Read one name per class."""
    names = meta.get(key)
    if not isinstance(names, list) or not all(isinstance(name, (str, bytes)) for name in names):
        raise DataError(f"{place}: `{key}` is not a list of names", hint=AGAIN)
    return tuple(name.decode("utf-8", "replace") if isinstance(name, bytes) else name for name in names)
