"""The folders that a training reads and writes."""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dltool.core.process import OUTPUT_ROOT
from dltool.doctor.finding import Finding, as_size

SECTION = "folders"
LITTLE_SPACE = 2**30
PROBE = 2**20  # Bytes written as a test.


def folders() -> Iterator[Finding]:
    try:
        Path.cwd()
    except OSError as error:
        yield Finding(SECTION, "working folder", "problem", f"is gone: {error.strerror}", "cd to an existing folder")
        return
    yield writable("output root", OUTPUT_ROOT, "run.dir=FOLDER names a writable folder")
    try:
        yield writable("temporary files", Path(tempfile.gettempdir()), "TMPDIR=FOLDER dltool …")
    except OSError as error:
        yield Finding(SECTION, "temporary files", "problem", str(error.strerror), "TMPDIR=FOLDER dltool …")
    data = Path("data")
    if data.is_dir():
        yield Finding(SECTION, "data", "ok", f"{data.resolve()}")
    else:
        text = f"no {data.resolve()}; the built-in data needs none"
        yield Finding(SECTION, "data", "note", text, "data.root=FOLDER with the files of data=mnist and others")


def writable(name: str, folder: Path, hint: str) -> Finding:
    """Whether a file of 1 MiB can be written in the folder, or where it would be created."""
    nearest = folder.absolute()
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    text = f"{folder.absolute()}" + ("" if folder.exists() else ", which the first run creates")
    try:
        with tempfile.TemporaryFile(dir=nearest) as file:
            file.write(bytes(PROBE))
            file.flush()
        free = shutil.disk_usage(nearest).free
    except OSError as error:
        reason = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else str(error.strerror)
        return Finding(SECTION, name, "problem", f"{text}: nothing can be written: {reason}", hint)
    text += f"; {as_size(free)} free"
    if free < LITTLE_SPACE:
        return Finding(SECTION, name, "note", text, "dltool runs rm state=failed; trainer.checkpoint.keep_last=1")
    return Finding(SECTION, name, "ok", text)
