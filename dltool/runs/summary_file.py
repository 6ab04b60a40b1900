"""summary.json of a run: facts of the model and the data that its other files do not have.

{"sizes": {split: number}, "unit": "samples", "loss": "cross_entropy", "data": [[name, text]],
 "baselines": {metric: text}, "layers": {"columns": […], "rows": [[…]]},
 "not_playable": where pages have nothing to try, the reason: see dltool.introspection.playable}
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dltool.core.errors import DltoolError
from dltool.core.safe_path import SafePath
from dltool.core.safe_read import read_json

SUMMARY, NETWORK, POINTS, PLANE = "summary.json", "network.json", "points.json", "plane.json"


def write_summary(folder: SafePath, summary: Mapping[str, Any]) -> None:
    (folder / SUMMARY).write(json.dumps(summary, ensure_ascii=False, indent=1).encode())


def write_network(folder: SafePath, network: Mapping[str, Any]) -> None:
    """Write network.json, what a visitor of the page can try; see dltool.introspection.playable."""
    (folder / NETWORK).write_bytes(json.dumps(network, ensure_ascii=False).encode())


def write_points(folder: SafePath, points: Mapping[str, Any]) -> None:
    """Write points.json, the samples of data that can be drawn; see dltool.introspection.sample_points."""
    (folder / POINTS).write_bytes(json.dumps(points, ensure_ascii=False, separators=(",", ":")).encode())


def write_plane(folder: SafePath, predictions: Mapping[str, Any]) -> None:
    """Write plane.json, what the network predicts now; see dltool.introspection.plane_predictions."""
    (folder / PLANE).write_bytes(json.dumps(predictions, separators=(",", ":")).encode())


def read_plane(folder: Path) -> dict[str, Any]:
    """plane.json of a run folder; empty if there is none."""
    return read_object(folder / PLANE)


def read_points(folder: Path) -> dict[str, Any]:
    """points.json of a run folder; empty if there is none."""
    return read_object(folder / POINTS)


def read_network(folder: Path) -> dict[str, Any]:
    """network.json of a run folder; empty if there is none."""
    return read_object(folder / NETWORK)


def read_summary(folder: Path) -> dict[str, Any]:
    """summary.json of a run folder; empty if there is none."""
    return read_object(folder / SUMMARY)


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object; empty if there is no such file, or it cannot be read."""
    try:
        return read_json(path)
    except (OSError, DltoolError):
        return {}
