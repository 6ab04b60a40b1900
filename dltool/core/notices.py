"""dltool's warnings as messages for the user: one line each, without the place in the source."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from dltool.core.messages import in_notebook, say


class DltoolWarning(UserWarning):
    """Something that the user should know, and that does not end the command."""


class FigureWarning(DltoolWarning):
    """A figure is missing or not as it should be; the command line prints this after everything else, once."""


@contextlib.contextmanager
def printed_warnings() -> Iterator[None]:
    """In this context dltool's warnings are messages `warning: …`, in a notebook those of other packages too.

    Elsewhere Python prints those of other packages on standard error, with their place in the source.
    """
    before, later = warnings.showwarning, dict[str, None]()

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, FigureWarning):
            later[str(message)] = None
        elif issubclass(category, DltoolWarning):
            say(f"warning: {message}")
        elif in_notebook():
            say(f"warning: {category.__name__}: {message}")
        else:
            before(message, category, *place, **more)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before
        for text in later:
            say(f"warning: {text}")
