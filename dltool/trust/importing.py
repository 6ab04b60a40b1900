"""Runs trusted files: as modules with private names, from the text that was read and hashed, never from bytecode."""

import contextlib
import importlib.abc
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

from dltool.core.errors import ConfigError, DltoolError
from dltool.core.place import place_of_function
from dltool.trust.former_names import FormerNameFinder
from dltool.trust.sources import TrustedFile, trusted_file, trusted_files, trusted_sources

WRONG_CALL = re.compile(r"([\w.]+)\(\) (?:takes|missing|got) ")  # Python's own messages, with the qualified name.


class TrustedLoader(importlib.abc.SourceLoader):
    """Loads a trusted file from its text in memory.

    A SourceLoader without file times reads and writes no `__pycache__`: a file there could contain other code than
    the text whose SHA-256 the run records.
    """

    def __init__(self, file: TrustedFile) -> None:
        self.file = file

    def get_filename(self, fullname: str) -> str:
        return str(self.file.path)

    def get_data(self, path: bytes | str) -> bytes:
        return self.file.content


class TrustedFinder(importlib.abc.MetaPathFinder):
    """Finds the modules of trusted sources by their private names, and no others."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        file = trusted_file(fullname)
        if file is None:
            return None
        # A package gets no search location: only the files that were read can be imported from its folder.
        spec = ModuleSpec(fullname, TrustedLoader(file), origin=str(file.path), is_package=file.is_package)
        spec.has_location = True
        return spec


def install() -> None:
    """Let this process import trusted modules."""
    if not any(isinstance(finder, TrustedFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, TrustedFinder())
        sys.meta_path.append(FormerNameFinder())


def place_of(error: BaseException) -> str | None:
    """The last line of a trusted file in an exception's traceback, "/home/me/models.py, line 12"; or None.

    For a call with wrong arguments, it is the line of the definition.
    """
    paths = {str(file.path) for file in trusted_files().values()}
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in paths]
    return f"{lines[-1].filename}, line {lines[-1].lineno}" if lines else place_of_called(error)


def place_of_called(error: BaseException) -> str | None:
    """The definition of the trusted function that was called with arguments that it does not take; or None."""
    named = WRONG_CALL.match(str(error)) if isinstance(error, TypeError) else None
    if named is None:
        return None
    for name in (name for source in trusted_sources() for name in source.files):
        found: object = sys.modules.get(name)
        for part in named[1].split("."):
            found = getattr(found, part, None)
        if hasattr(found, "__code__"):
            return place_of_function(found)
    return None


@contextlib.contextmanager
def failures_placed(module: str, default_place: str | None = None) -> Iterator[None]:
    """Report where a trusted module fails while it is imported or used to build a component.

    Args:
        module: The module.
        default_place: Reported if no line of a trusted file is in the traceback; None reports the module's file.

    Raises:
        ConfigError: Any exception that dltool did not raise itself is converted to this one.
    """
    file = trusted_file(module)
    try:
        yield
    except DltoolError:
        raise
    except (Exception, SystemExit) as error:  # SystemExit: a script that exits when it is imported.
        if file is None:
            raise
        place = place_of(error) or default_place or str(file.path)
        raise ConfigError(f"{place}: {type(error).__name__}: {error}", remedy(error)) from error


def remedy(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        return (
            "a trusted file can import installed packages; put files that need each other into a folder with an "
            "__init__.py, trust that, and write `from .other import …`"
        )
    return "run the same command with --debug to see the whole traceback"


def described(error: BaseException) -> str:
    """An exception in one line, with its location if that is in a trusted file."""
    place = place_of(error)
    return f"{place}: {type(error).__name__}: {error}" if place else f"{type(error).__name__}: {error}"
