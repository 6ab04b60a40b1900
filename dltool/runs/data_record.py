"""The fingerprint of a run's data in short, and whether runs had the same data."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltool.core.errors import DltoolError
from dltool.runs.folder import RunFolder


def read_data(path: Path) -> dict[str, Any]:
    """The content of a run's data.json; empty if it has none that can be read."""
    try:
        return RunFolder(path).read_data()
    except (DltoolError, OSError):
        return {}


def data_in_short(saved: Mapping[str, Any]) -> str:
    """Such as "08d9d5f52379604b: t.csv, 300 samples"; "" for a run without a fingerprint."""
    try:
        count = sum(saved["samples"].values())
        images = sum(folder["files"] for folder in saved["folders"].values())
        names = [file["name"] for file in saved["files"]]
        more = len(names) - 1
        what = names[:1] + [f"{more} more file{'s' * (more > 1)}"] * (more > 0) + [f"{images:,} images"] * bool(images)
        what += [saved["generator"]["name"]] if saved["generator"] else []
        return f"{saved['digest']}: {', '.join([*what, f'{count:,} samples'])}"
    except (KeyError, TypeError, AttributeError):
        return ""


def different_data(paths: Sequence[Path]) -> list[list[Path]]:
    """The runs, grouped by their data; empty if all that have a fingerprint have the same one."""
    groups: dict[str, list[Path]] = {}
    for path in paths:
        if digest := read_data(path).get("digest"):
            groups.setdefault(digest, []).append(path)
    return list(groups.values()) if len(groups) > 1 else []
