"""What a network predicts over the samples of its playground, while it trains or at its end."""

from pathlib import Path
from typing import Any

from dltool.core.numerals import is_finite_number
from dltool.runs.summary_file import read_plane

MAX_NODES = 10_000


def plane_of(folder: Path) -> dict[str, Any] | None:
    """plane.json of a run folder; None if there is none, or it has not the form that the page expects."""
    found = read_plane(folder)
    try:
        lists = [found[name] for name in ("classes", "shares", "values")]
        numbers = [
            found["step"],
            *(end for limits in found["limits"] for end in limits),
            *(x for one in lists for x in one),
        ]
        side = round(len(lists[0]) ** 0.5)
        is_whole = len(lists[0]) == len(lists[1]) == side**2 and all(isinstance(one, int) for one in lists[0])
        fits = is_whole and len(numbers) <= 2 * MAX_NODES and all(map(is_finite_number, numbers))
    except (KeyError, TypeError):
        return None
    return found if fits else None
