"""What a run measured, read back from its metrics.jsonl; dltool.observers.jsonl writes it."""

import json
import math
from pathlib import Path
from typing import Any

from dltool.core.safe_path import read_regular


def read_records(path: Path) -> list[dict[str, Any]]:
    """All records of a metrics.jsonl, null as NaN; none where there is no such file.

    Lines that are no JSON object are passed over: a run that was killed or whose disk was full leaves a torn one.
    """
    if not path.exists():
        return []
    decoded = map(_decode, read_regular(path).splitlines())
    return [record for record in decoded if record is not None]


def _decode(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:  # Torn: no JSON, or not even UTF-8.
        return None
    if not isinstance(record, dict) or "step" not in record:
        return None
    return {name: math.nan if value is None else value for name, value in record.items()}
