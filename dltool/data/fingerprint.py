"""The fingerprint of a run's data, by which it is recognised wherever it lies: data.json in the run folder.

    {"format": 1, "digest": "…", "samples": {"train": 210, …},
     "files": [{"name", "bytes", "sha256"}, …],
     "folders": {"cats": {"files", "bytes", "names", "contents", "every", "times"}, …},
     "samples_sha256": "…", "generator": {"name": "moons", "num_samples": 1000, …}}

Data from files is recognised by the files' contents, neither by their paths nor by their times. A folder of images has
one entry for each of its folders: hashes of the names and sizes of its images and of their contents. Up to 1 GiB of
contents are read, evenly from all images, every one of them in a smaller folder. Built-in and synthetic data is the
settings of its generator. Of data that a user's own loader reads, the loaded samples are hashed too.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import PurePath
from typing import Any, NamedTuple

from dltool.core.errors import DataError
from dltool.data.contents import Contents, FileContent
from dltool.data.image_files import ImageFiles

FORMAT = 1
CONTENT_BYTES = 2**30


@dataclass(frozen=True)
class ImageFolder:
    """The images of one folder.

    Attributes:
        files: Their number.
        bytes: Their total size.
        names: SHA-256 of their names and sizes.
        contents: SHA-256 of the contents of every `every`-th image of the data.
        times: SHA-256 of what the file system says about them, times included. While it is the same, `contents` is not
            computed again; otherwise it has no meaning.
    """

    files: int
    bytes: int
    names: str
    contents: str
    every: int
    times: str


@dataclass(frozen=True)
class Fingerprint:
    """What the data of a run was; see the module.

    Attributes:
        samples: The size of each split.
        generator: The settings of built-in or synthetic data; empty for other data.
    """

    samples: Mapping[str, int]
    files: Sequence[FileContent] = ()
    folders: Mapping[str, ImageFolder] = field(default_factory=dict)
    samples_sha256: str = ""
    generator: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of everything that identifies the data; of 16 digits, which is enough to tell data sets apart."""
        folders = {name: [one.names, one.contents] for name, one in self.folders.items()}
        identity = [[one.sha256 for one in self.files], folders, self.samples_sha256, self.generator]
        return hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "digest": self.digest,
            "samples": dict(self.samples),
            "files": [one._asdict() for one in self.files],
            "folders": {name: asdict(one) for name, one in self.folders.items()},
            "samples_sha256": self.samples_sha256,
            "generator": dict(self.generator),
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], origin: str) -> "Fingerprint":
        """The inverse of `to_json`.

        Raises:
            DataError: The format is unknown, or a part is missing; `origin` names the file.
        """
        if saved.get("format") != FORMAT:
            raise DataError(f"{origin} has the format {saved.get('format')}, but this dltool reads {FORMAT}")
        try:
            return cls(
                saved["samples"],
                [FileContent(**one) for one in saved["files"]],
                {name: ImageFolder(**one) for name, one in saved["folders"].items()},
                saved["samples_sha256"],
                saved["generator"],
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{origin} is damaged: {error}") from error


class Comparison(NamedTuple):
    """How data differs from an earlier fingerprint.

    Attributes:
        difference: A clause that names the file and what is different; "" for the same data.
        note: What could not be compared, or "".
    """

    difference: str = ""
    note: str = ""


def take_fingerprint(
    contents: Contents, samples: Mapping[str, int], settings: Mapping[str, Any], before: Fingerprint | None = None
) -> Fingerprint:
    """The fingerprint of data that was loaded.

    Args:
        contents: What its loaders have read.
        samples: The size of each split.
        settings: The settings of its loader, which identify it if nothing was read.
        before: An earlier one, of which the contents of unchanged image folders are taken.
    """
    folders: dict[str, ImageFolder] = {}
    for images in contents.images:
        folders |= image_folders(images, before.folders if before else {})
    read = contents.files or folders or contents.samples_sha256
    return Fingerprint(samples, contents.files, folders, contents.samples_sha256, {} if read else settings)


def image_folders(images: ImageFiles, before: Mapping[str, ImageFolder]) -> dict[str, ImageFolder]:
    """An entry for each folder that has images, by its name below the root."""
    found = [os.stat(images.path(row)) for row in range(len(images.paths))]  # noqa: PTH116 (4 times as fast)
    every = max(1, math.ceil(sum(one.st_size for one in found) / CONTENT_BYTES))
    rows: dict[str, list[int]] = {}
    for row, path in enumerate(images.paths):
        rows.setdefault(os.path.dirname(path), []).append(row)  # noqa: PTH120
    folders = {}
    for folder, members in rows.items():
        folder = PurePath(folder).as_posix()
        names, times = hashlib.sha256(), hashlib.sha256()
        for row in members:
            one, name = found[row], os.path.basename(images.paths[row])  # noqa: PTH119
            names.update(f"{name}\0{one.st_size}\0".encode(errors="surrogateescape"))
            times.update(f"{one.st_size} {one.st_mtime_ns} {one.st_ctime_ns} {one.st_ino} {one.st_dev} ".encode())
        known, seen = before.get(folder), (names.hexdigest(), every, times.hexdigest())
        if known is not None and (known.names, known.every, known.times) == seen:
            contents = known.contents
        else:
            contents = hash_files([images.path(row) for row in members if row % every == 0])
        size = sum(found[row].st_size for row in members)
        folders[folder] = ImageFolder(len(members), size, names.hexdigest(), contents, every, times.hexdigest())
    return folders


def hash_files(paths: Sequence[str]) -> str:
    """SHA-256 of the contents of files, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (many small files: a Path takes longer than these)
            digest.update(file.read())
    return digest.hexdigest()


def compare(before: Fingerprint, now: Fingerprint) -> Comparison:
    """Whether data is the same as before. The settings of a generator are in the config, where they are compared."""
    if before.generator or now.generator:
        return Comparison()
    difference = different_files(before, now) or different_folders(before.folders, now.folders)
    if not difference and before.samples_sha256 != now.samples_sha256:
        difference = f"the loaded samples are others{sizes(before, now)}"
    if difference:
        return Comparison(difference)
    every = max((one.every for one in now.folders.values()), default=1)
    touched = any(one.times != now.folders[name].times for name, one in before.folders.items())
    if every == 1 or not touched:
        return Comparison()
    return Comparison(
        "",
        f"the images have the same names and sizes as before, but other times; the contents of one in {every:,} were "
        "compared and are the same",
    )


def different_files(before: Fingerprint, now: Fingerprint) -> str:
    """The first file with another content, and the number of samples if that is another."""
    for old, new in zip(before.files, now.files, strict=False):
        if old.sha256 != new.sha256:
            size = f"{old.bytes:,} bytes then, {new.bytes:,} now" if old.bytes != new.bytes else "of the same size"
            renamed = "" if old.name == new.name else f", in place of {old.name}"
            return f"{new.name} has other contents{renamed} ({size}{sizes(before, now)})"
    if len(before.files) != len(now.files):
        return f"{len(before.files)} files were read then, {len(now.files)} now"
    return ""


def different_folders(before: Mapping[str, ImageFolder], now: Mapping[str, ImageFolder]) -> str:
    """The first folder of images that is missing, new or different."""
    if missing := before.keys() - now.keys():
        return f"the folder {min(missing)} has no images any more"
    if new := now.keys() - before.keys():
        return f"the folder {min(new)} is new"
    for name, old in before.items():
        current = now[name]
        if (old.names, old.contents) == (current.names, current.contents):
            continue
        if old.names != current.names:
            counts = f"had {old.files:,} images and has {current.files:,}"
            return f"the folder {name} {counts if old.files != current.files else 'has images of other names or sizes'}"
        return f"the folder {name} has an image with other contents, of the same name and size"
    return ""


def sizes(before: Fingerprint, now: Fingerprint) -> str:
    old, new = sum(before.samples.values()), sum(now.samples.values())
    return f"; {old:,} samples then, {new:,} now" if old != new else ""
