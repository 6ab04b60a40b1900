"""Downloads a data set's official file and checks it before it gets its name."""

import contextlib
import hashlib
import shutil
import sys
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.error import HTTPError
from urllib.request import urlopen

from dltool.core.errors import DataError

TIMEOUT_SECONDS = 60  # Without receiving a byte.
CHUNK = 2**20


@dataclass(frozen=True)
class Remote:
    """A file on a data set's own server.

    Attributes:
        url: Its address.
        md5: MD5 sum of its content, as torchvision publishes it; it detects damage, not an attack.
    """

    url: str
    md5: str

    @property
    def name(self) -> str:
        return self.url.rsplit("/", 1)[1]


def fetch(remote: Remote, path: Path) -> None:
    """Download a file to `path` and create its folder; the file appears there only when complete and checked.

    Raises:
        DataError: The server cannot be reached, has no such file or a different one, or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
            partial = Path(part.name)
        try:
            found = _stream(remote, partial)
            if found != remote.md5:
                raise DataError(
                    f"{remote.url} has the MD5 sum {found}, not {remote.md5}: it is damaged or has been replaced",
                    hint=f"try again, or put the right file at {path}",
                )
            partial.chmod(0o644)  # Only its owner can read a temporary file.
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except (OSError, HTTPException, ValueError) as error:
        reason = f"HTTP status {error.code}" if isinstance(error, HTTPError) else getattr(error, "reason", error)
        raise DataError(
            f"download of {remote.url} to {path} failed: {' '.join(str(reason).split())}",
            hint=f"download it yourself and put it at {path}",
        ) from error


def _stream(remote: Remote, path: Path) -> str:
    """Write the server's response to a file, with a progress bar on a terminal; returns its MD5 sum."""
    from rich.progress import wrap_file

    from dltool.core.console import Console

    digest = hashlib.md5(usedforsecurity=False)
    with contextlib.ExitStack() as stack:
        response = stack.enter_context(urlopen(remote.url, timeout=TIMEOUT_SECONDS))
        expected = int(response.headers.get("Content-Length") or 0)
        free = shutil.disk_usage(path.parent).free
        if expected > free:
            raise OSError(f"{expected:,} bytes do not fit into the {free:,} that are free")
        reader = response
        if sys.stderr.isatty():
            bar = wrap_file(response, expected, description=remote.name, console=Console(stderr=True), transient=True)
            reader = stack.enter_context(bar)
        with path.open("wb") as file:
            while chunk := reader.read(CHUNK):
                digest.update(chunk)
                file.write(chunk)
        if expected and path.stat().st_size != expected:
            raise OSError(f"the connection ended after {path.stat().st_size:,} of {expected:,} bytes")
    return digest.hexdigest()
