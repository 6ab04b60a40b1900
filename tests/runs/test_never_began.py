"""A run that ended at its creation is named as such."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dltool.runs.never_began import FIRST_NAMES, never_began

NAMES = sorted(FIRST_NAMES)


@pytest.mark.parametrize("count", range(len(NAMES) + 1))
def test_whatever_was_written_before_its_config(count: int, tmp_path: Path, dltool_here: Callable[..., Any]) -> None:
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    for name in NAMES[:count]:
        (run / name).write_text("{}")
    (run / ".tmp-config.yaml-1").touch()
    done = dltool_here("resume", "run")
    assert done.returncode == 2
    assert "never began" in done.stderr.splitlines()[0]
    assert "rm -r run" in done.stderr
    again = dltool_here("train", "model=mlp", "data=iris", "run.dir=run")
    assert again.returncode == 2
    assert "never began" in again.stderr.splitlines()[0]


@pytest.mark.parametrize("name", ["config.yaml", "checkpoints/step-000001", "metrics.jsonl", "notes.txt"])
def test_anything_later_is_another_case(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir(parents=True)
    assert never_began(tmp_path) is None
