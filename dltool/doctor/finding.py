"""The result of one check."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        section: Such as "memory and processors"; findings of a section are adjacent.
        name: The item that was checked.
        level: "problem" prevents every training; "note" affects only some.
        text: The result.
        hint: What to type or change.
    """

    section: str
    name: str
    level: Level
    text: str
    hint: str | None = None


def as_size(num_bytes: float) -> str:
    """Bytes in the largest unit of which there is at least one."""
    for unit in ("B", "KiB", "MiB"):
        if num_bytes < 1024:
            return f"{num_bytes:.0f} {unit}"
        num_bytes /= 1024
    return f"{num_bytes:.1f} GiB"
