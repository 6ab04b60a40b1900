"""One process at a time writes to a folder."""

import os
from pathlib import Path
from typing import IO

from dltool.errors import ConfigError


class FolderLock:
    """A lock on a folder, `.lock` in it, which the system opens when the process that holds it ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file: IO[str] | None = None

    def hold(self, what: str) -> None:
        """Keep other processes out.

        Args:
            what: What the holder does, for the message to the others: "is training".

        Raises:
            ConfigError: Where another process holds it, naming that process.
        """
        try:
            import fcntl
        except ImportError:  # Windows has no such lock.
            return
        self.file = (self.folder / ".lock").open("a+")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.file.seek(0)
            holder = self.file.read().strip()
            self.release()
            raise ConfigError(
                f"process {holder} {what} {self.folder.resolve()}", "wait for it, or stop it with Ctrl-C"
            ) from error
        self.file.truncate(0)
        self.file.write(f"{os.getpid()}\n")
        self.file.flush()

    def release(self) -> None:
        """Let others in."""
        if self.file is not None:
            self.file.close()
            self.file = None


def is_held(folder: Path) -> bool:
    """Whether a process holds the folder; false where there is no folder, or nobody ever did."""
    try:
        import fcntl

        with (folder / ".lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (ImportError, FileNotFoundError):
        return False
    except OSError:
        return True
    return False
