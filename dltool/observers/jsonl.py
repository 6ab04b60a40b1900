"""metrics.jsonl: the measurements of a run, one JSON object per line; dltool.runs.records reads it."""

import json
import math
from pathlib import Path
from typing import Any

from dltool.core.safe_path import SafePath
from dltool.core.safe_read import read_lines
from dltool.engine.observer import Observer
from dltool.observers.line_file import LineFile


class JsonlLog(Observer):
    """Appends each record to a file as one line.

    The file is kept open. The means of a few steps (split "step") may wait half a second to be written, and can be
    lost in a kill -9; every other record, and one with a new metric, is written at once. All are on the disk before
    the checkpoint that counts them.

    NaN and infinities are written as null. JSON cannot express them; Python's own `NaN` is refused by jq,
    JavaScript and pandas, which all read null, and pandas converts it to NaN again.

    Args:
        path: The file; created with the first record.
    """

    def __init__(self, path: Path) -> None:
        self.lines = LineFile(SafePath(path.parent, path.name))
        self.known: set[str] = set()

    def on_record(self, record: dict[str, Any]) -> None:
        may_wait = record["split"] == "step" and self.known.issuperset(record)
        self.known.update(record)
        self.lines.add(_encode(record), may_wait=may_wait)

    def before_checkpoint(self) -> None:
        self.lines.sync()

    def on_end(self) -> None:
        self.lines.close()


def cut_back(path: Path, num_records: int) -> int:
    """Drop the records that a resumed training will write again, and an incomplete last line.

    The file is truncated by one system call, so that a kill at any moment leaves it either unchanged or complete.

    Args:
        path: A metrics.jsonl; nothing happens if it does not exist.
        num_records: The number of records when the checkpoint was saved. Their steps are not enough: the final test
            is at the step of the last checkpoint, and a training that continues repeats it later.

    Returns:
        The number of lines dropped, including an incomplete one.
    """
    lines = list(read_lines(path))
    kept = [line for line in lines[:num_records] if line.endswith(b"\n")]
    if len(kept) < len(lines):
        SafePath(path.parent, path.name).truncate(sum(map(len, kept)))
    return len(lines) - len(kept)


def _encode(record: dict[str, Any]) -> bytes:
    finite = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in record.items()
    }
    return json.dumps(finite, allow_nan=False).encode() + b"\n"
