"""The runs below a folder, kept in memory and read again where their files have changed."""

import itertools
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from dltool.core.confined import is_below
from dltool.runs.catalog import RunRecord, find_runs, is_search, read_run
from dltool.runs.folder import STATUS
from dltool.runs.lock import is_held

# A folder that was changed so shortly before it was read may have been changed again without another time.
TICK_NS = 100_000_000
SECONDS_BETWEEN = 0.25  # Several open pages share one look at the folders.
SECONDS_TO_SEARCH = 30.0  # Whatever the times of the folders are: a network disk may report them late.
Signature = tuple[int, int, int] | None


def signature(path: str | Path) -> Signature:
    """What changes with the content of a file: inode, size, time of modification; None if there is no such file."""
    try:
        status = os.stat(path)  # noqa: PTH116 – a third of the time of Path.stat, a thousand times a second.
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


class Snapshot(NamedTuple):
    """The runs at one moment.

    Attributes:
        records: Name to record, the newest run first. The name is the path below the root, "." for the root itself.
        keys_version: A number that changes with the runs, their settings and the names of their metrics.
        searches: The folders of sweeps and studies by their paths below the root.
    """

    records: dict[str, RunRecord]
    keys_version: int
    searches: dict[str, Path]

    def runs_of(self, search: str) -> list[RunRecord]:
        """The runs of a sweep or a study that have begun, by name."""
        above = "" if search == "." else search
        names = [name for name in self.records if name.rpartition("/")[0] == above and name != "."]
        return [self.records[name] for name in sorted(names) if self.records[name].config]


class RunIndex:
    """Finds the runs below a folder, and reads each again when its status.json changes.

    Runs that links outside the folder lead to are left out. A look at a thousand unchanged runs takes 3 ms.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real = os.path.realpath(root)
        self._lock = threading.Lock()
        self._folders: dict[Path, int] = {}  # Those without a run, to the time of their last change.
        self._paths: dict[str, Path] = {}
        self._searches: dict[str, Path] = {}
        self._read: dict[str, tuple[Signature, RunRecord]] = {}
        self._versions = itertools.count(1)
        self._snapshot = Snapshot({}, 0, {})
        self._looked_at = self._searched_at = float("-inf")

    def snapshot(self) -> Snapshot:
        """The runs now, or up to SECONDS_BETWEEN ago."""
        with self._lock:
            if time.monotonic() - self._looked_at >= SECONDS_BETWEEN:
                self._search()
                self._refresh()
                self._looked_at = time.monotonic()
            return self._snapshot

    def _search(self) -> None:
        """Find the runs again if a folder has changed."""
        is_due = time.monotonic() - self._searched_at >= SECONDS_TO_SEARCH
        if not is_due and all(modified(folder) == time_ns for folder, time_ns in self._folders.items()):
            return
        others: dict[Path, int] = {}
        found = [path for path in find_runs(self.root, others) if is_below(os.path.realpath(path), self._real)]
        now = time.time_ns()
        self._folders = {path: 0 if now - time_ns < TICK_NS else time_ns for path, time_ns in others.items()}
        self._paths = {path.relative_to(self.root).as_posix(): path for path in found}
        self._searches = {path.relative_to(self.root).as_posix(): path for path in others if self._is_own_search(path)}
        self._searched_at = time.monotonic()

    def _is_own_search(self, folder: Path) -> bool:
        return is_search(folder) and is_below(os.path.realpath(folder), self._real)

    def _refresh(self) -> None:
        """Read the runs whose status has changed."""
        read = {name: self._current(name, path) for name, path in self._paths.items()}
        is_unchanged = read.keys() == self._read.keys() and all(read[name] is self._read[name] for name in read)
        if is_unchanged and self._searches == self._snapshot.searches:
            return
        old, self._read = self._read, read
        is_same = read.keys() == old.keys() and all(has_same_keys(read[name][1], old[name][1]) for name in read)
        version = self._snapshot.keys_version if is_same else next(self._versions)
        records = newest_first((name, record) for name, (_, record) in read.items())
        self._snapshot = Snapshot(records, version, self._searches)

    def _current(self, name: str, path: Path) -> tuple[Signature, RunRecord]:
        """The record of a run with the signature of its file; the same object if nothing has changed."""
        found, known = signature(f"{path}/{STATUS}"), self._read.get(name)
        is_unchanged = known is not None and found is not None and known[0] == found
        if known is not None and is_unchanged and (known[1].state != "running" or is_held(path)):
            return known
        read = found, read_run(path)
        return known if known == read else read


def modified(folder: Path) -> int:
    """The time of a folder's last change in nanoseconds; -1 if it is gone."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return -1


def has_same_keys(one: RunRecord, other: RunRecord) -> bool:
    """Whether two records of a run have the same settings and the same names of metrics."""
    return one is other or (one.config == other.config and one.metrics.keys() == other.metrics.keys())


def newest_first(records: Iterable[tuple[str, RunRecord]]) -> dict[str, RunRecord]:
    return dict(sorted(records, key=lambda pair: (pair[1].date, pair[0]), reverse=True))
