"""What has changed on a page since a browser asked last."""

import hashlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dltool.report.document import FORMAT
from dltool.report.live.curves import Position
from dltool.report.live.recent import Recent

MAX_VERSIONS = 64  # That are remembered of a page; to a browser with an older one everything is sent.


class Part(NamedTuple):
    """An element of a page that is replaced when it changes.

    Attributes:
        html: The element, whose id is the name of the part.
        outline: What determines the element apart from its inner ones; None if it has none.
        inner: Elements in it by their ids. As long as the outline is the same they are replaced one by one.
    """

    html: str
    outline: Any = None
    inner: Mapping[str, str] = {}


class Sent(NamedTuple):
    """What a browser with a version has.

    Attributes:
        digests: The parts and the elements inside them.
        position: Of the files of its curves.
    """

    digests: Mapping[str, str]
    position: Position


class Versions:
    """The last versions of a page."""

    def __init__(self) -> None:
        self._kept: Recent[str, Sent] = Recent(MAX_VERSIONS)
        self._lock = threading.Lock()

    def keep(self, parts: Mapping[str, Part], position: Position = ()) -> str:
        """Remember a state of the page; returns its version."""
        sent = Sent(dict(digests(parts)), position)
        version = digest(repr(sent))
        with self._lock:
            self._kept[version] = sent
        return version

    def sent(self, version: str) -> Sent | None:
        """What a browser with this version has; None if that is forgotten."""
        with self._lock:
            return self._kept.get(version)


def changes(version: str, parts: Mapping[str, str], **curves: Any) -> dict[str, Any]:
    """The document of what has changed; see dltool.report.document."""
    return {
        "format": FORMAT,
        "kind": "changes",
        "version": version,
        "parts": parts,
        "charts": None,
        "points": [],
        "steps_per_epoch": None,
        **curves,
    }


def changed_parts(parts: Mapping[str, Part], sent: Sent | None) -> dict[str, str]:
    """The elements that a browser lacks, by their ids; parts that are gone are empty."""
    now, before = dict(digests(parts)), sent.digests if sent else {}
    found = {}
    for name, part in parts.items():
        if now[name] != before.get(name):
            found[name] = part.html
        else:
            found |= {inner: html for inner, html in part.inner.items() if now[inner] != before.get(inner)}
    return found


def digests(parts: Mapping[str, Part]) -> Iterator[tuple[str, str]]:
    for name, part in parts.items():
        yield name, digest(part.html if part.outline is None else repr(part.outline))
        for inner, html in part.inner.items():
            yield inner, digest(html)


def digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()
