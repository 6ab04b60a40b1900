"""summary.json of a run: facts of the model and the data that its other files do not have.

{"sizes": {split: number}, "unit": "samples", "loss": "cross_entropy", "data": [[name, text]],
 "baselines": {metric: text}, "layers": {"columns": […], "rows": [[…]]}}
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dltool.core.errors import DltoolError
from dltool.core.safe_path import SafePath, read_regular

SUMMARY = "summary.json"


def write_summary(folder: SafePath, summary: Mapping[str, Any]) -> None:
    (folder / SUMMARY).write(json.dumps(summary, ensure_ascii=False, indent=1).encode())


def read_summary(folder: Path) -> dict[str, Any]:
    """The file of a run folder; empty if there is none, or it cannot be read."""
    try:
        found = json.loads(read_regular(folder / SUMMARY))
    except (OSError, DltoolError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
