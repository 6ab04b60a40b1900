"""Whether this process is the kernel of a notebook, and what it prints there."""

import contextlib
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from dltool.core.messages import messages_on_stdout, say
from dltool.core.notices import DltoolWarning, printed_warnings


def in_notebook() -> bool:
    """Whether output is shown by a Jupyter frontend. IPython is not imported: if a kernel runs, it has been."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")


def warn_in_place(text: str) -> None:
    """A Python warning, or in a notebook, which shows those as if they were errors, a message."""
    if in_notebook():
        with messages_on_stdout():
            say(f"warning: {text}")
    else:
        warnings.warn(text, DltoolWarning, stacklevel=3)


@contextlib.contextmanager
def messages_in_place() -> Iterator[None]:
    """Messages go to standard output, and in a notebook warnings too; scripts keep Python's warnings."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(messages_on_stdout())
        if in_notebook():
            stack.enter_context(printed_warnings())
        yield
