"""dltool's warnings as the command line prints them: one line each, without the place in the source."""

import contextlib
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from dltool.core.printable import printable


class DltoolWarning(UserWarning):
    """Something that the user should know, and that does not end the command."""


class FigureWarning(DltoolWarning):
    """A figure is missing or not as it should be; the command line prints this after everything else, once."""


@contextlib.contextmanager
def printed_warnings() -> Iterator[None]:
    """In this context dltool's warnings are lines `warning: …` on standard error, others as Python prints them."""
    before, later = warnings.showwarning, dict[str, None]()

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, FigureWarning):
            later[str(message)] = None
        elif issubclass(category, DltoolWarning):
            print(f"warning: {printable(str(message))}", file=sys.stderr, flush=True)
        else:
            before(message, category, *place, **more)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before
        for text in later:
            print(f"warning: {printable(text)}", file=sys.stderr, flush=True)
