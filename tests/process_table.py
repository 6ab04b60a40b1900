"""Which processes this machine runs."""

from pathlib import Path


def members(parent: int) -> list[int]:
    """The process ids of the members that a process started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words, stat = (entry / "cmdline").read_bytes(), (entry / "stat").read_text()
        except OSError:
            continue
        if b"dltool.distributed.member" in words and int(stat.rpartition(")")[2].split()[1]) == parent:
            found.append(int(entry.name))
    return found
