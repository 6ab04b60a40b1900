"""Where messages for the user go: what is neither a result nor an error, such as the header and the progress bar.

The command line prints them to standard error, so that standard output has only results. A training from Python, and
anything in a notebook, prints them to standard output: a notebook shows standard error as if it were an error.
"""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from dltool.core.printable import printable

_on_stdout = False


def in_notebook() -> bool:
    """Whether output is shown by a Jupyter frontend. IPython is not imported: if a kernel runs, it has been."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if hasattr(ipython, "get_ipython") else None
    return hasattr(shell, "kernel")


def message_stream() -> TextIO:
    """The stream for messages, looked up at each call: a progress bar replaces the streams while it is shown."""
    return sys.stdout if _on_stdout or in_notebook() else sys.stderr


def say(line: str) -> None:
    """Print a message in one line."""
    print(printable(line), file=message_stream(), flush=True)


@contextlib.contextmanager
def messages_on_stdout() -> Iterator[None]:
    """In this context messages go to standard output, those of other threads too."""
    global _on_stdout
    before, _on_stdout = _on_stdout, True
    try:
        yield
    finally:
        _on_stdout = before
