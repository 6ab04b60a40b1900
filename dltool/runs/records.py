"""The metrics of a run, read from its metrics.jsonl, which dltool.observers.jsonl writes."""

import json
import math
from pathlib import Path
from typing import Any

from dltool.core.safe_path import read_regular


def read_records(path: Path) -> list[dict[str, Any]]:
    """All records of a metrics.jsonl, with null as NaN; none if there is no such file.

    Lines that are not JSON objects are skipped: a killed run or a full disk leaves an incomplete one.
    """
    if not path.exists():
        return []
    decoded = map(decode_record, read_regular(path).splitlines())
    return [record for record in decoded if record is not None]


def decode_record(line: bytes) -> dict[str, Any] | None:
    """The record in a line, with null as NaN; None for a line that is not a JSON object with a step."""
    try:
        record = json.loads(line)
    except ValueError:  # Incomplete: not JSON, or not even UTF-8.
        return None
    if not isinstance(record, dict) or "step" not in record:
        return None
    return {name: math.nan if value is None else value for name, value in record.items()}
