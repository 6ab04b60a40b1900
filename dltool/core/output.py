"""Standard output and error of a command: no text in them controls the terminal, and their end does not end it.

Python's own streams raise an error for a character that the terminal cannot show, and when the reader of a pipe has
gone; and they are None where the caller has closed them.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from dltool.core.printable import printable_lines

GONE = (errno.EPIPE, errno.EIO, errno.EBADF)  # No reader; a terminal that was closed; a closed stream.


class Stream:
    """A text stream that drops what nobody can read; everything else is that of the stream.

    Args:
        stream: Standard output or error.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        with self.until_gone():
            self.stream.write(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        with self.until_gone():
            self.stream.flush()

    @contextlib.contextmanager
    def until_gone(self) -> Iterator[None]:
        """Once the reader has gone, everything further is written to nowhere."""
        try:
            yield
        except OSError as error:
            if error.errno not in GONE:
                raise
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)


class PrintedStream(Stream):
    """A stream for `print`: control characters are written as escapes.

    Attributes:
        rich_proxied_file: The stream to which rich writes its own control sequences; dltool.core.console escapes the
            texts in them.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.rich_proxied_file = Stream(stream)

    def write(self, text: str) -> int:
        super().write(printable_lines(text))
        return len(text)


@contextlib.contextmanager
def safe_output() -> Iterator[None]:
    """In this context sys.stdout and sys.stderr are PrintedStreams."""
    before = sys.stdout, sys.stderr
    open_closed()
    sys.stdout, sys.stderr = (PrintedStream(stream) for stream in (sys.stdout, sys.stderr))
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


def open_closed() -> None:
    """Open what the caller has closed, so that no file gets its descriptor; replace what a terminal cannot show."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 (open until the process ends)
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
