"""One hostile input: files made in a folder, and the command that meets them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TOKEN = "content-of-a-private-file"


@dataclass(frozen=True)
class Place:
    """The folders of a case.

    Attributes:
        cwd: The working directory of the command, which begins empty.
        private: A folder outside of it. `secret` in it must be neither read nor written, and no file may be added.
        marker: A file that code would create.
        run: A copy of a trained run in `cwd`.
    """

    cwd: Path
    private: Path
    marker: Path
    run: Path

    @property
    def secret(self) -> Path:
        return self.private / "secret"

    @property
    def code(self) -> str:
        """Python that leaves the marker."""
        return f"open({str(self.marker)!r}, 'w').close()\n"


@dataclass(frozen=True)
class Case:
    """A hostile input.

    Attributes:
        name: Unique; with it a failure can be repeated.
        make: Makes the files.
        words: The command.
        needs_run: Whether it needs the trained run.
    """

    name: str
    make: Callable[[Place], None]
    words: tuple[str, ...]
    needs_run: bool = False
