"""The metrics of a run, read from its metrics.jsonl, which dltool.observers.jsonl writes."""

import math
import sys
from pathlib import Path
from typing import Any

from dltool.core.safe_read import decode_line, read_lines, unreadable

MAX_VALUES = 4_000_000  # A training of 10 million steps has a third of them.


def read_records(path: Path) -> list[dict[str, Any]]:
    """All records of a metrics.jsonl, with null as NaN; none if there is no such file.

    Lines that are not JSON objects are skipped: a killed run or a full disk leaves an incomplete one.

    Raises:
        UnreadableError: It is no regular file, or has more than MAX_VALUES values.
    """
    records, count = [], 0
    for record in map(decode_record, read_lines(path)):
        if record is not None:
            records.append(record)
            count += len(record)
            if count > MAX_VALUES:
                raise unreadable(path, f"a file of more than {MAX_VALUES:,} values")
    return records


def decode_record(line: bytes) -> dict[str, Any] | None:
    """The record in a line, with null as NaN; None for a line that is not a JSON object with a step.

    What is neither a number nor a text is left out: no record has such a value.
    """
    record = decode_line(line)
    if record is None or not isinstance(record.get("step"), int | float):
        return None
    return {
        sys.intern(name): math.nan if value is None else value
        for name, value in record.items()
        if not isinstance(value, dict | list)
    }
