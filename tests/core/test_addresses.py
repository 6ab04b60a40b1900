"""Addresses are shown and stored without what gives access."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dltool.core.addresses import without_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:secret@host:5000/x", "http://***@host:5000/x"),
        ("postgresql+psycopg://me:p%40ss@host/db failed", "postgresql+psycopg://***@host/db failed"),
        ("https://ghp_abc@github.com/a/b.git", "https://***@github.com/a/b.git"),
        ("https://host/x?a=1&api_key=abc#top", "https://host/x?a=1&api_key=***#top"),
        ("https://host/?X-Amz-Signature=abc&b=2", "https://host/?X-Amz-Signature=***&b=2"),
        ('{"uri": "http://me:secret@host"}', '{"uri": "http://***@host"}'),
        ("two: a://b:c@d and e://f:g@h", "two: a://***@d and e://***@h"),
    ],
)
def test_what_gives_access_is_hidden(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


@pytest.mark.parametrize(
    "text",
    ["sqlite:///outputs/mlflow.db", "https://host/a@b?c=1", "me@host.org", "optim.lr=1 key=2", "a://host/?tokens"],
)
def test_other_texts_stay(text: str) -> None:
    assert without_secrets(text) == text


def test_no_file_of_a_run_has_it(dltool_here: Callable[..., Any], tmp_path: Path) -> None:
    words = ["model=mlp", "data=iris", "trainer.epochs=1", "logger.plots=false", "diagnostics=none", "run.dir=run"]
    done = dltool_here("train", *words, "logger.mlflow.uri=http://me:hunter2@localhost:1/?token=hunter2")
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    for path in (tmp_path / "run").rglob("*"):
        assert path.is_dir() or b"hunter2" not in path.read_bytes(), path
    failed = dltool_here("train", *words[:-1], "run.dir=other", "init_from=http://me:hunter2@localhost/x")
    assert "hunter2" not in failed.stdout + failed.stderr
