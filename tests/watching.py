"""A training as observers see it, without one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dltool.core.batch import Batch
from dltool.core.safe_path import SafePath
from dltool.core.spec import DataSpec
from dltool.engine.observer import Watched


def nothing_held_out(_least: int) -> Batch:
    raise AssertionError("no held-out data is needed here")


def watch(
    folder: Path,
    spec: DataSpec | None = None,
    model: str = "",
    data: str = "",
    held_out: Callable[[int], Batch] = nothing_held_out,
    warn: Callable[[str], None] = pytest.fail,
) -> Watched:
    return Watched(SafePath(folder), spec or DataSpec((1,)), model, data, held_out, warn)
