"""The comment at the beginning of an experiment's YAML.

# One or more lines that say what it is.
#   command    the command that was measured; another command follows in a line of its own
#   recipe     where it is from; a note
#              goes on in the next line
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

NOTE = re.compile(r"#   (\S.*?)  +(\S.*)")
CONTINUED = re.compile(r"#    +(\S.*)")


@dataclass(frozen=True)
class Header:
    """What the comment says.

    Attributes:
        summary: What the experiment is.
        commands: The commands that were measured, the training first.
        notes: The other notes by their first word, "recipe", "reference", …
    """

    summary: str = ""
    commands: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)


def read_header(path: Path) -> Header:
    """The comment lines of a YAML up to its first key."""
    summary: list[str] = []
    notes: dict[str, str] = {}
    last = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        if "@package" in line:
            continue
        if found := NOTE.fullmatch(line):
            last = found[1]
            notes[last] = found[2]
        elif last and (found := CONTINUED.fullmatch(line)):
            notes[last] += f" {found[1]}"
        elif text := line.removeprefix("#").strip():
            summary.append(text)
    commands = re.split(r" (?=dltool )", notes.pop("command", ""))
    return Header(" ".join(summary), tuple(filter(None, commands)), notes)
