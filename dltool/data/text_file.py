"""Reads text files; `read_blocks` is the only place that opens a text file of the user."""

import contextlib
import gzip
import zlib
from collections.abc import Generator, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from dltool.core.errors import DataError
from dltool.core.shell import quoted
from dltool.data.contents import hashed
from dltool.data.encodings import check_encoding, decoded, find_encoding

BLOCK = 1 << 19  # Bytes read at a time; a few megabytes of cells, which a cache holds.
SETTING = "data.encoding=%s"
# Texts and tables that are worth training on are unzipped to 3 to 20 times their size; gzip allows 1,030.
LARGEST_UNZIPPED, LARGEST_RATIO = 200_000_000, 100  # Bytes that are always read, and times the file's size.
SAVE_AS, UNPACK = "save its sheet as CSV (UTF-8)", "unpack it, and name a file of it"
OTHER_KINDS = {
    b"PK\x03\x04": ("a workbook of Excel or a ZIP archive", f"{SAVE_AS}, or {UNPACK}"),
    b"\xd0\xcf\x11\xe0": ("a workbook of Excel", SAVE_AS),
    b"PAR1": ("a Parquet file", "pandas.read_parquet(OLD).to_csv(NEW, index=False)"),
    b"\x89HDF": ("an HDF5 file", "save its table as CSV"),
    b"SQLite format 3": ("a database", "save its table as CSV"),
    b"%PDF-": ("a PDF file", "save its table as CSV"),
    b"BZh": ("a bzip2 archive", UNPACK),
    b"\xfd7zXZ": ("an xz archive", UNPACK),
    b"\x28\xb5\x2f\xfd": ("a Zstandard archive", UNPACK),
}
CONVERT = "iconv -f ENCODING -t UTF-8 OLD > NEW, where ENCODING is %s"


def read_blocks(path: Path, size: int = BLOCK) -> Generator[bytes, None, None]:
    """The bytes of a file, `size` at a time, unzipped where it is gzipped.

    Raises:
        DataError: The file does not exist, is damaged, is a pipe or a device, which may have no end, or is gzipped
            with a content of more than LARGEST_UNZIPPED bytes and LARGEST_RATIO times its size.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise DataError(f"{path} is not a regular file", "save its content as a file first")
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            left = max(LARGEST_UNZIPPED, LARGEST_RATIO * path.stat().st_size)
            with hashed(gzip.GzipFile(fileobj=file) if zipped else file, path) as stream:  # type: ignore[arg-type]
                while block := stream.read(size):
                    left -= len(block)
                    if zipped and left < 0:
                        raise DataError(
                            f"{path} is gzipped, and its content is more than {LARGEST_RATIO} times as large",
                            f"if it is meant to be: gunzip -k {quoted(path)}, and name the unzipped file",
                        )
                    yield block
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise DataError(f"{path} cannot be read: {reason}", "is the path right, and the file complete?") from error


class Assumed(NamedTuple):
    """How files are read whose reader names no encoding; see `assumed_encoding`."""

    wanted: str = "auto"
    likely: str = "auto"
    hint: str | None = None


NOTHING_ASSUMED = Assumed()
_assumed: ContextVar[Assumed] = ContextVar("assumed", default=NOTHING_ASSUMED)


@contextlib.contextmanager
def assumed_encoding(wanted: str, likely: str, hint: str) -> Iterator[None]:
    """Within this context, files whose reader names no encoding are read otherwise.

    Args:
        wanted: An encoding that the user named, or "auto".
        likely: For "auto", the encoding of files that are not Unicode.
        hint: Replaces that of TextFile.
    """
    token = _assumed.set(Assumed(wanted, likely, hint))
    try:
        yield
    finally:
        _assumed.reset(token)


@dataclass
class TextFile:
    """A text file, gzipped or not.

    Attributes:
        path: The absolute path.
        wanted: Its encoding; "auto" is UTF-8, or UTF-16 or UTF-32 with a byte order mark, or UTF-16 whose zero bytes
            show it.
        hint: What to do about another encoding; with %s for its name.
        likely: For "auto", the encoding of a file that is not Unicode; "auto" refuses it.
        codec: The encoding that was found, once it is read.
    """

    path: Path
    wanted: str = "auto"
    hint: str = CONVERT
    likely: str = field(default="auto", init=False)
    codec: str = field(default="utf-8", init=False)

    def __post_init__(self) -> None:
        self.path = self.path.expanduser().resolve()
        if self.wanted == "auto":
            assumed = _assumed.get()
            self.wanted, self.likely, self.hint = assumed.wanted, assumed.likely, assumed.hint or self.hint

    def blocks(self) -> Iterator[str]:
        """The text, part by part, with its line ends as they are.

        Raises:
            ConfigError: No encoding is called `wanted`.
            DataError: The file does not exist, is damaged, or is not in its encoding; the message names the first
                byte that is not, and its line.
        """
        blocks = read_blocks(self.path)
        head = next(blocks, b"")
        refuse_other_kinds(head, self.path)
        self.codec = find_encoding(head, self.wanted, self.likely)
        try:
            yield from decoded(chain([head], blocks), self.codec, self.path, self.hint)
        except DataError as error:
            blocks.throw(error)  # The rest is not read.

    def read(self) -> str:
        """The whole text, with line ends as \\n. Raises as `blocks` does, and DataError for an empty file."""
        text = "".join(self.blocks())
        if not text.strip():
            raise DataError(f"{self.path} is empty")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    @property
    def note(self) -> str:
        """The encoding, for the user; empty for UTF-8."""
        if self.codec == "utf-8":
            return ""
        overruled = self.wanted != "auto" and check_encoding(self.wanted) not in (self.codec, self.codec[:-3])
        why = f"by its byte order mark, not {self.wanted}" if overruled else "data.encoding"
        return f"read as {self.codec.upper()} ({why})"

    @property
    def notes(self) -> tuple[str, ...]:
        """The note as a line of its own; none for UTF-8."""
        return (f"{self.path} is {self.note}",) if self.note else ()


def refuse_other_kinds(head: bytes, path: Path) -> None:
    """Raises DataError for the first bytes of a file of another kind than text."""
    for start, (kind, remedy) in OTHER_KINDS.items():
        if head.startswith(start):
            raise DataError(f"{path} is {kind}, not a text file", remedy)


def read_text(path: Path) -> str:
    """The text of a file without a byte order mark, with line ends as \\n; raises as TextFile.read does."""
    return TextFile(path).read()


def decoded_text(content: bytes, name: str) -> str:
    """The text of bytes that are not of a file, with line ends as \\n; `name` is for messages.

    Raises:
        DataError: They are not in their encoding; see TextFile.
    """
    assumed = _assumed.get()
    codec = find_encoding(content, assumed.wanted, assumed.likely)
    text = "".join(decoded([content] if content else [], codec, Path(name), assumed.hint or CONVERT))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: Path) -> list[str]:
    """The nonempty lines of a file, without surrounding spaces; raises as read_text does."""
    return nonempty_lines(read_text(path))


def nonempty_lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]
