"""The lines of a JSON-lines file that a training appends to; each is read once."""

import os
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import Any

from dltool.core.safe_read import MAX_LINES_BYTES, check_size, open_regular
from dltool.report.live.index import Signature, signature
from dltool.runs.records import decode_record

Decode = Callable[[bytes], dict[str, Any] | None]
REMEMBERED = 256  # Bytes before the place where reading goes on, by which a replaced file is recognized.


class LineTail:
    """Reads a growing file.

    Args:
        path: The file.
        decode: From a line to a record; None for a line that is none.

    Attributes:
        generation: Grows when lines that were read are gone: a resumed training cuts its file back.
    """

    def __init__(self, path: Path, decode: Decode = decode_record) -> None:
        self.path = path
        self.decode = decode
        self.generation = 0
        self._signature: Signature = None
        self._offset = 0
        self._before = b""

    def new_records(self) -> list[dict[str, Any]]:
        """The records of the whole lines that were not returned yet; all of them again in a new generation."""
        found = signature(self.path)
        if found == self._signature:
            return []
        self._signature = found
        try:
            with open_regular(self.path) as file:
                if not self._continues(file):
                    self._restart()
                check_size(self.path, os.fstat(file.fileno()).st_size - self._offset, MAX_LINES_BYTES)
                file.seek(self._offset)
                whole, newline, _ = file.read().rpartition(b"\n")
        except OSError:  # Gone, or not the run's own file.
            self._restart()
            return []
        self._offset += len(whole) + len(newline)
        self._before = (self._before + whole + newline)[-REMEMBERED:]
        decoded = map(self.decode, whole.splitlines())
        return [record for record in decoded if record is not None]

    def _continues(self, file: BufferedReader) -> bool:
        """Whether the file still has what was read of it, judged by its length and the last bytes."""
        file.seek(self._offset - len(self._before))
        return file.read(len(self._before)) == self._before

    def _restart(self) -> None:
        if self._offset:
            self.generation += 1
        self._offset, self._before = 0, b""
