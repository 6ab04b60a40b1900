"""The fences of README and the manual, and the comments above them that say how a test treats each.

<!-- file: table.csv -->      the fence is the content of this file
<!-- with: trainer.steps=2 -->  these words are added to each `dltool train` and `dltool tune` of the fence
<!-- not run: the reason -->  it is not executed, only parsed
<!-- exit: 2 -->              its one command ends with this exit code
<!-- setup: command -->       bash executes the command; no fence belongs to it
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from places import REPOSITORY

from dltool.manual.pages import pages

COMMENT = re.compile(r"\s*<!-- (file|with|not run|exit|setup): (.*) -->")
OPENING = re.compile(r"( *)```(\w*)")
DOCUMENTS = {"README": REPOSITORY / "README.md"} | {topic: page.path for topic, page in pages().items()}


@dataclass
class Fence:
    """A fence, or a hidden command whose language is "setup".

    Attributes:
        line: Its number in the file.
        options: The comments above it, by keyword.
    """

    language: str
    text: str
    line: int
    options: dict[str, str] = field(default_factory=dict)

    def commands(self) -> list[str]:
        """The command lines, with continued lines joined and without comments."""
        joined = self.text.replace("\\\n", " ")
        return [line.strip() for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def fences(path: Path) -> Iterator[Fence]:
    """The fences of a file and the hidden commands, in order."""
    options: dict[str, str] = {}
    lines = iter(enumerate(path.read_text(encoding="utf-8").splitlines(), start=1))
    for number, line in lines:
        if comment := COMMENT.fullmatch(line):
            if comment[1] == "setup":
                yield Fence("setup", comment[2], number)
            else:
                options[comment[1]] = comment[2]
        elif opening := OPENING.fullmatch(line):
            indent, body = len(opening[1]), []
            for _, inside in lines:
                if inside.strip() == "```":
                    break
                body.append(inside[indent:])
            yield Fence(opening[2], "\n".join(body) + "\n", number, options)
            options = {}
        elif line.strip():
            assert not options, f"{path}:{number}: no fence below the comment"
