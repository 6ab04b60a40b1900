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
    decoded = map(_decode, read_regular(path).splitlines())
    return [record for record in decoded if record is not None]


def _decode(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:  # Incomplete: not JSON, or not even UTF-8.
        return None
    if not isinstance(record, dict) or "step" not in record:
        return None
    return {name: math.nan if value is None else value for name, value in record.items()}
