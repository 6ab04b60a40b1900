"""Reading that stays below a folder, for a program that shows what it reads to somebody else.

A run folder may come from a stranger, and `log.txt` in it may be a link to a private file. Whoever reads it for
himself may follow the link; a server must not.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from dltool.core.package import CONFIGS

OWN = os.path.realpath(CONFIGS)
_root: ContextVar[str | None] = ContextVar("the folder that reading stays below", default=None)


@contextmanager
def confined_to(root: Path) -> Iterator[None]:
    """In this context `open_regular` and `read_regular` refuse files that are not below the folder, links resolved.

    dltool's own configs can be read, since a run's config is described by what it changes in them.
    """
    token = _root.set(os.path.realpath(root))
    try:
        yield
    finally:
        _root.reset(token)


def check_confined(path: Path, opened: os.stat_result) -> None:
    """Refuse an open file that is outside the folder of `confined_to`.

    Args:
        path: By which the file was opened.
        opened: Of the open file; it must be the file that the path leads to below the folder, so that a link that is
            replaced at the same moment hides nothing.

    Raises:
        PermissionError: It is outside.
    """
    root = _root.get()
    if root is None:
        return
    real = os.path.realpath(path)
    if not (any(is_below(real, one) for one in (root, OWN)) and os.path.samestat(os.lstat(real), opened)):
        raise PermissionError(errno.EACCES, "outside the folder that is shown", str(path))


def is_below(real: str, root: str) -> bool:
    """Whether a path is the folder or below it; both have their links resolved."""
    return real == root or real.startswith(root.rstrip(os.sep) + os.sep)
