"""Where the messages and warnings of calls from Python go, in a notebook and in a script."""

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from dltool.core.messages import in_notebook, messages_on_stdout, say
from dltool.core.notices import DltoolWarning, printed_warnings

Class = TypeVar("Class", bound=type)


def warn_in_place(text: str) -> None:
    """A Python warning, or in a notebook, which shows those as if they were errors, a message."""
    if in_notebook():
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


def with_messages_in_place(*names: str) -> Callable[[Class], Class]:
    """A decorator of a class whose methods of these names, inherited ones too, run in messages_in_place."""

    def decorated(cls: Class) -> Class:
        for name in names:
            setattr(cls, name, in_place(getattr(cls, name)))
        return cls

    return decorated


def in_place(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def called(*args: Any, **kwargs: Any) -> Any:
        with messages_in_place():
            return method(*args, **kwargs)

    return called
