"""A folder of checkpoints that somebody copied or prepared ends in a message, not in an error of Python."""

from pathlib import Path

import pytest

from dltool.core.errors import CheckpointError
from dltool.engine.checkpoint import committed, saved_metrics, verify


def test_a_copied_step_is_no_checkpoint(tmp_path: Path) -> None:
    for name in ("step-000079", "step-000079.1", "step-000079.bak", "step-", "step-x", "step-000080 (copy)"):
        (tmp_path / name).mkdir()
    assert [path.name for path in committed(tmp_path)] == ["step-000079.1", "step-000079"]


def test_a_deeply_nested_manifest_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[" * 200_000 + "]" * 200_000)
    assert saved_metrics(tmp_path) == {}
    with pytest.raises(CheckpointError, match="is damaged"):
        verify(tmp_path)
