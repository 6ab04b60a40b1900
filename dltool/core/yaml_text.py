"""Bounds what a YAML file may be before its values are made: its size, its depth, what its aliases stand for.

A file of 250 bytes can stand for a thousand million values by aliases of aliases, and reading it takes all memory or
time. The text is therefore scanned first, as a stream of events, which takes a millisecond for 300 lines.
"""

import functools
from pathlib import Path
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.safe_read import UnreadableError, open_regular

MAX_BYTES = 1_000_000
MAX_VALUES = 5_000  # Keys and values, those that aliases stand for included; a complete config has about 250.
MAX_DEPTH = 50
MAX_DIGITS = 400  # Of a number; Python converts up to 4,300.
PLAIN_TAGS = ("str", "int", "float", "bool", "null", "map", "seq")


def yaml_text(path: Path, *, follow: bool = True) -> str:
    """The text of a YAML file, which may be read in bounded time and memory.

    Args:
        path: The file.
        follow: Whether it may be a link; that in a run folder may not.

    Raises:
        ConfigError: The file is not YAML, or is larger, deeper or contains more values than a config can.
    """
    try:
        with open_regular(path.resolve() if follow else path) as file:
            content = file.read(MAX_BYTES + 1)
    except UnreadableError:
        raise
    except OSError as error:
        raise ConfigError(f"{path.absolute()} cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise refused(path, f"it is larger than {MAX_BYTES:,} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        hint = "save the file as UTF-8"
        raise ConfigError(f"{path.absolute()} is not readable YAML: line {line} is not UTF-8", hint) from error
    scan(text, path)
    return text


def read_yaml(path: Path) -> Any:
    """The plain values of a YAML file. Raises the same errors as yaml_text."""
    import yaml

    try:
        return yaml.load(yaml_text(path), event_source())
    except (yaml.YAMLError, ValueError) as error:
        raise refused(path, " ".join(str(error).split())) from error


@functools.cache
def event_source() -> Any:
    """PyYAML's loader of plain values, in C where it has one."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def scan(text: str, path: Path) -> None:
    """Count the values of a text without making them."""
    import yaml

    counted = Values()
    try:
        for event in yaml.parse(text, event_source()):
            if problem := counted.add(event):
                raise refused(path, f"line {event.start_mark.line + 1}: {problem}")
    except yaml.YAMLError as error:
        raise refused(path, " ".join(str(error).split())) from error


class Values:
    """The number of values in a stream of YAML events, and what is wrong with one.

    Attributes:
        anchored: The number of values that an alias of each name stands for.
        open: The mappings and lists that have begun: the name of each, and the number of values before it.
    """

    def __init__(self) -> None:
        self.number = 0
        self.anchored: dict[str, int] = {}
        self.open: list[tuple[str | None, int]] = []

    def add(self, event: Any) -> str | None:
        """Count an event; returns what is wrong, if anything is."""
        import yaml

        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = self.open.pop()
            if anchor is not None:
                self.anchored[anchor] = self.number - before
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchored:
                return f"*{event.anchor} is an alias of a value that contains it, or of none"
            self.number += self.anchored[event.anchor]
        elif isinstance(event, yaml.NodeEvent):
            if (event.tag or "").removeprefix("tag:yaml.org,2002:") not in ("", "!", *PLAIN_TAGS):
                return f"the tag {event.tag} is not allowed"
            self.number += 1
            if isinstance(event, yaml.CollectionStartEvent):
                self.open.append((event.anchor, self.number - 1))
            elif event.anchor is not None:
                self.anchored[event.anchor] = 1
            if isinstance(event, yaml.ScalarEvent) and is_long_number(event):
                return f"a number of {len(event.value):,} digits"
        if self.number > MAX_VALUES:
            return f"more than {MAX_VALUES:,} values"
        return f"nested more than {MAX_DEPTH} levels deep" if len(self.open) > MAX_DEPTH else None


def is_long_number(event: Any) -> bool:
    begins = event.value.lstrip("+-")[:1]
    return len(event.value) > MAX_DIGITS and begins.isdigit() and event.value.replace("_", "").isalnum()


def refused(path: Path, problem: str) -> ConfigError:
    return ConfigError(f"{path.absolute()} is not readable YAML: {problem}")
