"""Where messages for the user go: what is neither a result nor an error, such as the header and the progress bar.

The command line prints them to standard error, so that standard output has only results. A call from Python prints
them to standard output: a notebook shows whatever is on standard error as if it were an error.
"""

import contextlib
import sys
from collections.abc import Iterator
from typing import TextIO

_on_stdout = False


def message_stream() -> TextIO:
    """The stream for messages, looked up at each call: a progress bar replaces the streams while it is shown."""
    return sys.stdout if _on_stdout else sys.stderr


def say(line: str) -> None:
    """Print a message."""
    print(line, file=message_stream(), flush=True)


@contextlib.contextmanager
def messages_on_stdout() -> Iterator[None]:
    """In this context messages go to standard output, those of other threads too."""
    global _on_stdout
    before, _on_stdout = _on_stdout, True
    try:
        yield
    finally:
        _on_stdout = before
