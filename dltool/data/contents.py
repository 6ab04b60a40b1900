"""What a loader reads, recorded while it reads: the SHA-256 of each file, and the image files of folders.

SHA-256, as for checkpoints, weights and trusted code: `sha256sum FILE` gives the same digits, and on processors with
instructions for it, it is the fastest hash of Python. Content is hashed after unzipping, so that a file and its gzipped
copy are the same data.
"""

import contextlib
import dataclasses
import hashlib
import io
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import torch
from torch import Tensor

from dltool.core.errors import DataError
from dltool.data.image_files import ImageFiles

Loaded = TypeVar("Loaded")


class FileContent(NamedTuple):
    """A file, unzipped. Its folder does not count: the same content elsewhere is the same data."""

    name: str
    bytes: int
    sha256: str


@dataclass
class Contents:
    """What the loaders of a data set have read.

    Attributes:
        of_samples: Whether to hash the loaded samples too, for loaders whose own way of reading is unknown.
        files: In the order in which they were read; one that is read again at once counts once.
        images: Folders of images, whose files are read later.
        drawn: Whether samples were drawn from the generator, which `split_seed` seeds.
        samples_sha256: Of the loaded samples, or "".
    """

    of_samples: bool = False
    files: list[FileContent] = field(default_factory=list)
    images: list[ImageFiles] = field(default_factory=list)
    drawn: bool = False
    samples_sha256: str = ""

    def add(self, file: FileContent) -> None:
        if file not in self.files[-1:]:
            self.files.append(file)


_recorded: ContextVar[Contents | None] = ContextVar("recorded", default=None)


@contextlib.contextmanager
def recorded_contents(*, of_samples: bool = False) -> Iterator[Contents]:
    """Record what loaders read within this context."""
    contents = Contents(of_samples)
    token = _recorded.set(contents)
    try:
        yield contents
    finally:
        _recorded.reset(token)


def note_file(path: Path, content: bytes) -> None:
    """Record the whole content of a file, unzipped."""
    if (contents := _recorded.get()) is not None:
        contents.add(FileContent(path.name.removesuffix(".gz"), len(content), hashlib.sha256(content).hexdigest()))


def hashed(stream: BinaryIO, path: Path) -> BinaryIO:
    """A stream of a file's content, unzipped, that is recorded when it is closed; it is read from start to end."""
    contents = _recorded.get()
    return stream if contents is None else io.BufferedReader(HashedStream(stream, path.name, contents), 2**20)


class HashedStream(io.RawIOBase):
    """Reads a stream and hashes what it reads; a rest that was not read is hashed when it is closed.

    After a DataError it is not: the data is refused, and its rest may be of any size.
    """

    def __init__(self, stream: BinaryIO, name: str, contents: Contents) -> None:
        super().__init__()
        self.stream = stream
        self.name = name.removesuffix(".gz")
        self.contents = contents
        self.size = 0
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self.stream.read(len(buffer))
        buffer[: len(part)] = part
        self.size += len(part)
        self.digest.update(part)
        return len(part)

    def close(self) -> None:
        if self.closed:
            return
        if not isinstance(sys.exception(), DataError):
            with contextlib.suppress(OSError, EOFError, zlib.error):  # A damaged file; its reader has raised an error.
                while self.readinto(memoryview(bytearray(2**20))):
                    pass
        self.contents.add(FileContent(self.name, self.size, self.digest.hexdigest()))
        self.stream.close()
        super().close()


def load_recorded(load: Callable[..., Loaded], *generators: torch.Generator) -> Loaded:
    """Call a loader of RawData or RawText; record its image files, and whether it draws from its generator."""
    states = [one.get_state() for one in generators]
    raw = load(*generators)
    if (contents := _recorded.get()) is not None:
        drawn = any(not torch.equal(one.get_state(), old) for one, old in zip(generators, states, strict=True))
        contents.drawn |= drawn
        note_loaded(raw, contents)
    return raw


def note_loaded(raw: Any, contents: Contents) -> None:
    """Record the image files of a loader's result, or its samples if they are hashed."""
    if (files := getattr(raw, "files", None)) is not None:
        contents.images.append(files)
    elif contents.of_samples:
        digest = hashlib.sha256(contents.samples_sha256.encode())
        hash_value(raw, digest.update)
        contents.samples_sha256 = digest.hexdigest()


def hash_value(value: Any, update: Callable[[bytes], None]) -> None:
    """Hash tensors, texts and numbers in nested dataclasses, mappings and sequences; notes and origins do not count."""
    if isinstance(value, Tensor):
        update(f"{value.dtype}{tuple(value.shape)}".encode())
        update(value.detach().cpu().contiguous().numpy().tobytes())
    elif dataclasses.is_dataclass(value):
        for one in dataclasses.fields(value):
            if one.name not in ("notes", "origin", "choices"):
                hash_value(getattr(value, one.name), update)
    elif isinstance(value, Mapping):
        hash_value(list(value.items()), update)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        update(f"[{len(value)}".encode())
        for item in value:
            hash_value(item, update)
    else:
        update(f"{type(value).__name__}:{value}\0".encode())
