"""Reads text files."""

import gzip
import zlib
from pathlib import Path

from dltool.core.errors import DataError
from dltool.data.contents import note_file


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, gzipped or not, without a byte order mark, with line ends as \\n.

    Raises:
        DataError: The file does not exist, is damaged, is not UTF-8 (the message names the byte and its line), or is
            empty.
    """
    path = path.expanduser().resolve()
    try:
        raw = path.read_bytes()
        if raw.startswith(b"\x1f\x8b"):
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise DataError(f"{path} cannot be read: {reason}", "is the path right, and the file complete?") from error
    note_file(path, raw)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: byte {error.start} (0x{raw[error.start]:02x}) is not UTF-8",
            f"iconv -f LATIN1 -t UTF-8 {path.name} > new.txt, if that is its encoding",
        ) from error
    if not text.strip():
        raise DataError(f"{path} is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: Path) -> list[str]:
    """The nonempty lines of a UTF-8 file, without surrounding spaces; raises as read_text does."""
    return [line.strip() for line in read_text(path).split("\n") if line.strip()]
