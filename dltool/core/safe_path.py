"""Writes in a folder that may come from somebody else: whole files, durable, and never through a link.

A run folder is shared like any other folder, so `log.txt` in it may be a symbolic link to a shell's start-up
file, a named pipe, or another name (a hard link) of a file elsewhere. Everything written below such a folder goes
through `SafePath`, which opens the folder once per operation and then works by descriptor: it follows no link
below the folder. Links above the folder, and the folder itself being a link, are the user's choice.
"""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dltool.core.errors import ConfigError
from dltool.core.shell import quoted

# Windows has neither folder descriptors nor these flags; there the checks use paths.
BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.stat in os.supports_dir_fd
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
FILE = NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
LINK_ERRORS = (errno.ELOOP, errno.ENOTDIR, errno.ENXIO)  # A link; one in place of a folder; a pipe without a reader.


class UnsafeFileError(ConfigError):
    """An entry of a run folder is not a regular file with a single name: a link, a named pipe, a hard link.

    Args:
        path: The entry.
        problem: What it is.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path} is {problem}; dltool writes only to regular files in a run folder",
            f"if somebody else made the folder, inspect its content; then rm {quoted(path)}",
        )
        self.path = path
        self.problem = problem


class SafePath:
    """A file or folder below a folder that may be untrusted, with write methods that follow no link.

    Args:
        root: The folder; it exists, and its path is trusted: links in it are followed.
        inside: The names below it, none of which may be a link.

    Every method that writes raises UnsafeFileError if a link, a pipe or a file with two names is in the way, and
    OSError if the system refuses.
    """

    def __init__(self, root: Path, *inside: str) -> None:
        self.root = root
        self.inside = inside

    def __truediv__(self, name: str) -> "SafePath":
        return SafePath(self.root, *self.inside, name)

    def __str__(self) -> str:
        return str(self.path)

    @property
    def path(self) -> Path:
        """For reading and for messages."""
        return self.root.joinpath(*self.inside)

    @property
    def name(self) -> str:
        return self.path.name

    def exists(self) -> bool:
        return self.path.exists()

    def make(self) -> Path:
        """Create this folder and its missing parents up to the root; returns its path."""
        with self._opened(self.inside, create=True):
            return self.path

    def write(self, content: bytes | str, *, durable: bool = True) -> None:
        """Replace the file in one step, so that no reader finds half of it, even after a power cut.

        Args:
            content: Text is written as UTF-8.
            durable: Wait until the file and its name are on the disk.
        """
        data = content.encode() if isinstance(content, str) else content
        with self._in_parent(create=True) as (here, name):
            temporary = self._sibling(here, f".tmp-{self.name}-{os.getpid()}")
            self._refuse_unsafe(here, name)
            with contextlib.suppress(FileNotFoundError):  # Left by a killed process with the same id.
                os.unlink(temporary, dir_fd=here)
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | FILE
                with os.fdopen(os.open(temporary, flags, 0o666, dir_fd=here), "wb") as file:
                    file.write(data)
                    file.flush()
                    if durable:
                        os.fsync(file.fileno())
                os.replace(temporary, name, src_dir_fd=here, dst_dir_fd=here)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary, dir_fd=here)
                raise
            if durable and here is not None:
                os.fsync(here)

    def write_bytes(self, content: bytes) -> None:
        """The same as Path.write_bytes, for figures: they need not be durable."""
        self.write(content, durable=False)

    def append(self) -> BinaryIO:
        """Open the file for appending, unbuffered; creates it if it is missing."""
        return os.fdopen(self.open(os.O_WRONLY | os.O_CREAT | os.O_APPEND), "ab", buffering=0)

    def open(self, flags: int) -> int:
        """A descriptor of the file, which must be regular and have one name; flags are those of os.open."""
        with self._in_parent(create=bool(flags & os.O_CREAT)) as (here, name):
            if here is None:
                self._refuse_unsafe(here, name)
            try:
                descriptor = os.open(name, flags | FILE, 0o666, dir_fd=here)
            except OSError as error:
                if error.errno in LINK_ERRORS:
                    self._refuse_unsafe(here, name)
                raise
            if (problem := unsafe(os.fstat(descriptor))) is not None:
                os.close(descriptor)
                raise UnsafeFileError(self.path, problem)
            return descriptor

    def open_to_read(self) -> int:
        """A descriptor of the file for reading; a hard link is allowed, since dltool.core.safe_read changes nothing.

        Raises:
            UnsafeFileError: The file, or a folder on the way to it, is a link; or it is no regular file.
        """
        with self._in_parent(create=False) as (here, name):
            try:
                if here is None and self.path.is_symlink():
                    raise UnsafeFileError(self.path, "a symbolic link")
                descriptor = os.open(name, os.O_RDONLY | FILE, dir_fd=here)
            except OSError as error:
                if error.errno in LINK_ERRORS:
                    self._refuse_unsafe(here, name)
                raise
        if not stat.S_ISREG((status := os.fstat(descriptor)).st_mode):
            os.close(descriptor)
            raise UnsafeFileError(self.path, str(unsafe(status)))
        return descriptor

    def truncate(self, length: int) -> None:
        """Cut the file to its first `length` bytes, by one system call."""
        descriptor = self.open(os.O_WRONLY)
        try:
            os.ftruncate(descriptor, length)
        finally:
            os.close(descriptor)

    def sync(self) -> None:
        """Wait until the content of the file is on the disk."""
        descriptor = self.open(os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def remove(self) -> None:
        """Remove the file, or the folder with its content; for a link, remove the link and not its target."""
        with contextlib.suppress(FileNotFoundError), self._in_parent(create=False) as (here, name):
            if stat.S_ISDIR(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode):
                shutil.rmtree(name, dir_fd=here)
            else:
                os.unlink(name, dir_fd=here)

    def rename(self, new: str) -> None:
        """Rename the file or folder within its folder, durably."""
        with self._in_parent(create=False) as (here, name):
            os.rename(name, self._sibling(here, new), src_dir_fd=here, dst_dir_fd=here)
            if here is not None:
                os.fsync(here)

    def for_library(self) -> Path:
        """Create the folder and check its content, for a library that writes into it by path; returns the path."""
        path = self.make()
        for parent, folders, files in os.walk(path):
            for name in (*folders, *files):
                status = os.lstat(Path(parent, name))
                if not stat.S_ISDIR(status.st_mode) and (problem := unsafe(status)) is not None:
                    raise UnsafeFileError(Path(parent, name), problem)
        return path

    @contextlib.contextmanager
    def _in_parent(self, *, create: bool) -> Iterator[tuple[int | None, str]]:
        """The parent folder and the name in it, as the functions of `os` take them."""
        with self._opened(self.inside[:-1], create=create) as here:
            yield here, self._sibling(here, self.inside[-1])

    def _sibling(self, here: int | None, name: str) -> str:
        return name if here is not None else str(self.path.with_name(name))

    @contextlib.contextmanager
    def _opened(self, names: tuple[str, ...], *, create: bool) -> Iterator[int | None]:
        """The descriptor of a folder below the root; None where the system has no folder descriptors."""
        if not BY_DESCRIPTOR:
            check_by_path(self.root, names, create)
            yield None
            return
        descriptor = os.open(self.root, FOLDER)
        try:
            for depth, name in enumerate(names, start=1):
                if create:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(name, dir_fd=descriptor)
                try:
                    inner = os.open(name, FOLDER | NO_FOLLOW, dir_fd=descriptor)
                except OSError as error:
                    if error.errno in LINK_ERRORS:
                        raise UnsafeFileError(
                            self.root.joinpath(*names[:depth]), "a link or a file, not a folder"
                        ) from None
                    raise
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def _refuse_unsafe(self, here: int | None, name: str) -> None:
        try:
            status = os.stat(name, dir_fd=here, follow_symlinks=False)
        except FileNotFoundError:
            return
        if (problem := unsafe(status)) is not None:
            raise UnsafeFileError(self.path, problem)


def sync_folder(path: Path) -> None:
    """Wait until the names of new files in a folder are on the disk; on Windows do nothing, as it opens no folders."""
    if BY_DESCRIPTOR:
        descriptor = os.open(path, FOLDER)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def check_by_path(path: Path, names: tuple[str, ...], create: bool) -> None:
    for name in names:
        path = path / name
        if path.is_symlink():
            raise UnsafeFileError(path, "a link, not a folder")
        if create:
            path.mkdir(exist_ok=True)


def unsafe(status: os.stat_result) -> str | None:
    """The reason why a file must not be written to, as text; None for a regular file with one name."""
    if stat.S_ISLNK(status.st_mode):
        return "a symbolic link"
    if stat.S_ISFIFO(status.st_mode):
        return "a named pipe"
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if status.st_nlink > 1:
        return f"one of {status.st_nlink} names of the same file (a hard link)"
    return None
