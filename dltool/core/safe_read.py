"""Reads files of a folder that may come from somebody else: regular files of bounded size, and none through a link.

A run folder is shared like any other folder, so that `status.json` in it may be a symbolic link to a private file, a
named pipe that blocks its reader, a device without an end, or 20 MB of brackets. Everything that dltool reads in a run
folder, and the files beside it, is read by this module.

A hard link is read: it is a regular file, and whoever added it could read that file himself. Writing to one
is refused (dltool.core.safe_path). Links above the folder, and the folder itself being a link, are the user's choice.
"""

import contextlib
import errno
import json
import os
import re
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from stat import S_ISREG
from typing import Any

from dltool.core.confined import check_confined
from dltool.core.errors import ConfigError, DltoolError
from dltool.core.safe_path import SafePath, UnsafeFileError
from dltool.core.shell import quoted

MAX_BYTES = 32 * 2**20  # Of a file that is read at once and has no tensors: JSON, a log, a picture.
MAX_JSON_VALUES = 3_000_000  # An empty list takes 64 bytes.
MAX_DEPTH = 100  # Of JSON; the state of an optimizer has 8 levels.
MAX_LINE = 2**20  # Bytes of a line in a file of JSON lines; a record has a few hundred.
MAX_LINES_BYTES = 512 * 2**20  # Of a file of JSON lines, which is read line by line.
LONG_NUMBER = re.compile(rb"\d{300}")  # Longer than any float; Python refuses more than 4,300 digits.
MISREAD = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError)


class UnreadableError(ConfigError, OSError):
    """A file of a run folder is a link, a pipe or a device, or larger than such a file can be."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.errno, self.strerror = errno.EINVAL, message

    def __str__(self) -> str:
        return self.message


class MalformedError(ConfigError, ValueError):
    """The content of a file is not what dltool writes into it."""


def open_regular(path: Path | SafePath) -> BufferedReader:
    """Open a file for reading.

    Args:
        path: The file. Of a Path, only the last name must not be a link; of a SafePath, no name below its root.

    Raises:
        FileNotFoundError: There is no such file.
        UnreadableError: It is a link, a pipe, a device, a socket or a folder.
        OSError: The system refuses; in `confined_to` also for a file outside the folder.
    """
    file = path if isinstance(path, SafePath) else SafePath(path.parent, path.name)
    try:
        descriptor = file.open_to_read()
    except UnsafeFileError as error:
        raise unreadable(error.path, error.problem) from None
    try:
        check_confined(file.path, os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path | SafePath, max_bytes: int = MAX_BYTES) -> bytes:
    """The content of a file.

    Raises:
        UnreadableError: It is larger than `max_bytes`.
        OSError: As in open_regular.
    """
    with open_regular(path) as file:
        check_size(path, os.fstat(file.fileno()).st_size, max_bytes)
        content = file.read(max_bytes + 1)  # It may grow meanwhile.
    check_size(path, len(content), max_bytes)
    return content


def read_text(path: Path | SafePath, max_bytes: int = MAX_BYTES) -> str:
    """The text of a UTF-8 file; other bytes are replaced. Raises the same errors as read_regular."""
    return read_regular(path, max_bytes).decode(errors="replace")


def read_json(path: Path | SafePath, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """The object in a JSON file; empty if there is no such file.

    Raises:
        MalformedError: It has no JSON object, or one with more values or levels than a run has.
        UnreadableError, OSError: As in read_regular.
    """
    try:
        content = read_regular(path, max_bytes)
    except FileNotFoundError:
        return {}
    return decode_object(content, path)


def decode_object(content: bytes, path: Path | SafePath) -> dict[str, Any]:
    """The JSON object that the content of a file is. Raises MalformedError, naming the file."""
    decoded = decode_json(content, path)
    if not isinstance(decoded, dict):
        raise malformed(path, "an object is needed")
    return decoded


def decode_json(content: bytes, path: Path | SafePath) -> Any:
    """The value of a JSON text. Raises MalformedError, naming the file."""
    if sum(map(content.count, (b",", b"[", b"{"))) > MAX_JSON_VALUES:
        raise malformed(path, f"it has more than {MAX_JSON_VALUES:,} values")
    try:
        value = json.loads(content, parse_int=bounded_int if LONG_NUMBER.search(content) else None)
    except RecursionError as error:
        raise malformed(path, f"it is nested more than {MAX_DEPTH} levels deep") from error
    except ValueError as error:
        raise malformed(path, str(error)) from error
    if content.count(b"[") + content.count(b"{") > MAX_DEPTH and is_deep(value):
        raise malformed(path, f"it is nested more than {MAX_DEPTH} levels deep")
    return value


def regular_files(folder: Path, ending: str) -> list[Path]:
    """The files of a folder with an ending, by name; no link, which could lead to a file outside the run."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix == ending and S_ISREG(path.lstat().st_mode))


def read_lines(path: Path | SafePath, max_bytes: int = MAX_LINES_BYTES) -> Iterator[bytes]:
    """The lines of a file with their ends, of at most MAX_LINE bytes; longer ones are skipped.

    Nothing is yielded if there is no such file.

    Raises:
        UnreadableError: It is larger than `max_bytes`.
        OSError: As in open_regular.
    """
    try:
        file = open_regular(path)
    except FileNotFoundError:
        return
    with file:
        check_size(path, os.fstat(file.fileno()).st_size, max_bytes)
        while line := file.readline(MAX_LINE + 1):
            if len(line) <= MAX_LINE:
                yield line
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE)


def decode_line(line: bytes) -> dict[str, Any] | None:
    """The object in a line of a JSON-lines file; None if there is none: a kill or a full disk leaves half a line."""
    try:
        value = json.loads(line, parse_int=bounded_int if LONG_NUMBER.search(line) else None)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


@contextlib.contextmanager
def understood(path: Path | SafePath) -> Iterator[None]:
    """In this context an error from a value of the wrong type or range in a file becomes one that names the file.

    Raises:
        MalformedError: Instead of a KeyError, TypeError and the like.
    """
    try:
        yield
    except (DltoolError, OSError):
        raise
    except MISREAD as error:
        raise malformed(path, f"{type(error).__name__}: {error}") from error


def is_deep(value: Any) -> bool:
    """Whether a value of JSON has more than MAX_DEPTH levels."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def bounded_int(digits: str) -> int:
    if len(digits) > 300:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


def check_size(path: Path | SafePath, size: int, largest: int) -> None:
    if size > largest:
        whole = path.path if isinstance(path, SafePath) else path
        message = f"{whole.absolute()} is larger than {largest:,} bytes, which no such file of a run is"
        raise UnreadableError(message, remove_hint(whole))


def unreadable(path: Path, problem: str) -> UnreadableError:
    message = f"{path.absolute()} is {problem}; only regular files are read"
    return UnreadableError(message, remove_hint(path))


def malformed(path: Path | SafePath, problem: str) -> MalformedError:
    whole = path.path if isinstance(path, SafePath) else path
    return MalformedError(f"{whole.absolute()} is not what dltool writes: {problem}", remove_hint(whole))


def remove_hint(path: Path) -> str:
    return f"if somebody else made the folder, inspect its content; then rm {quoted(path)}"
