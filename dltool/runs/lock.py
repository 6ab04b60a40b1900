"""A lock that lets one process at a time write to a folder."""

import contextlib
import os
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from dltool.core.errors import ConfigError
from dltool.core.safe_path import SafePath, UnsafeFileError

CAN_LOCK = find_spec("fcntl") is not None  # Not on Windows.
LOCK = ".lock"
LOCK_WAIT, LOCK_TRIES = 0.02, 500  # Seconds between two tries while somebody asks for the holder, and their number.


class FolderLock:
    """A lock on a folder, by `.lock` in it; the system releases it when the process that holds it ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file: IO[str] | None = None

    def hold(self, what: str) -> None:
        """Take the lock and keep other processes out.

        Args:
            what: What the holder does, for the others' error message: "is training".

        Raises:
            ConfigError: If another process holds it, naming that process; or if the folder is not writable.
        """
        if not CAN_LOCK:
            return
        file = self.opened()
        if not take_lock(file):
            file.seek(0)
            pid = file.read().strip()  # Empty in the moment after the holder has locked the file.
            file.close()
            holder = f"process {pid}" if pid else "another process"
            raise ConfigError(f"{holder} {what} {self.folder.resolve()}", "wait for it, or stop it with Ctrl-C")
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self.file = file

    def opened(self) -> IO[str]:
        """The file, made if it is missing."""
        try:
            return os.fdopen(SafePath(self.folder, LOCK).open(os.O_RDWR | os.O_CREAT | os.O_APPEND), "a+")
        except OSError as error:
            path = (self.folder / LOCK).resolve()
            raise ConfigError(
                f"{path} cannot be written: {error.strerror}", "the folder and its files must be writable to continue"
            ) from error

    def release(self) -> None:
        """Release the lock."""
        if self.file is not None:
            self.file.close()
            self.file = None


def take_lock(file: IO[str]) -> bool:
    """Lock an open file for this process; False if another process has locked it.

    `is_held` takes a shared lock for some microseconds, or longer on a loaded machine. Where a shared lock is possible,
    no process holds the folder: then try again.
    """
    import fcntl

    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            pass
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        fcntl.flock(file, fcntl.LOCK_UN)
        time.sleep(LOCK_WAIT)
    return False


def is_held(path: Path, pid: Any = None) -> bool:
    """Whether a process is working in this folder; checks without waiting and without disturbing it.

    Args:
        path: The folder.
        pid: The process id in its status.json, which is checked if the folder has no lock.
    """
    if not CAN_LOCK:  # Unknown: os.kill on Windows does more than check.
        return True
    import fcntl

    try:
        with os.fdopen(SafePath(path, LOCK).open(os.O_RDONLY)) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    except (OSError, UnsafeFileError):
        return process_exists(pid)


def process_exists(pid: Any) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


@contextlib.contextmanager
def one_process_at_a_time(path: Path) -> Iterator[None]:
    """Serialize processes that create the same file or folder: the others wait; a killed one releases the lock.

    The lock is `.<name>.lock` next to it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with SafePath(path.parent, f".{path.name}.lock").append() as lock:
        if CAN_LOCK:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
