"""An ext4 disk in a file, whose power can be cut: what the file system had not written to it by then is gone."""

import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN: the file system stops at once;
WITHOUT_LOG = struct.pack("I", 2)  # what its journal holds in memory is dropped, as in a power cut.
MEGABYTES = 64


class DiskImage:
    """The disk, mounted at `folder` from `mount` on.

    Args:
        where: An existing folder, for the file and the mount point.
    """

    def __init__(self, where: Path) -> None:
        self.image, self.folder = where / "disk.ext4", where / "disk"
        self.folder.mkdir()
        with self.image.open("wb") as file:
            file.truncate(MEGABYTES * 2**20)
        call("mkfs.ext4", "-q", "-F", str(self.image))

    def mount(self) -> Self:
        """Connect the disk; a journal that a power cut left is replayed."""
        call("mount", "-o", "loop", str(self.image), str(self.folder))
        return self

    def cut_power(self) -> None:
        cut_power(self.folder)

    def unmount(self) -> None:
        call("umount", str(self.folder))

    @classmethod
    @contextmanager
    def mounted(cls, where: Path) -> Iterator["DiskImage"]:
        disk = cls(where).mount()
        try:
            yield disk
        finally:
            subprocess.run(["umount", str(disk.folder)], check=False, capture_output=True)


def cut_power(folder: Path) -> None:
    """Stop the file system in which a folder is; every later write fails."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, SHUTDOWN, WITHOUT_LOG)
    finally:
        os.close(descriptor)


def call(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


def can_mount(where: Path) -> bool:
    """Whether this process may mount a disk, and cut its power."""
    if os.name != "posix" or os.geteuid() != 0:
        return False
    try:
        with DiskImage.mounted(where) as disk:
            (disk.folder / "lost").write_text("not waited for")
            disk.cut_power()
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
