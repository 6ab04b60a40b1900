"""`dltool export` as it is typed."""

import importlib.util
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch

Dltool = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(trained_here: Callable[..., Path]) -> Path:
    """The folder of a short run with a Chinese name, beside which commands are typed."""
    settings = [
        "data=iris",
        "trainer.epochs=2",
        "trainer.test=last",
        "trainer.device=cpu",
        "trainer.threads=1",
        "logger.plots=false",
    ]
    return trained_here("鸢尾花 1", "model=mlp", *settings, "--quiet")


def test_what_is_said_and_where_it_lies(dltool_here: Dltool, run: Path) -> None:
    done = dltool_here("export", run.name, "--format", "safetensors")
    assert done.returncode == 0, done.stderr
    path = next((run / "export").iterdir())
    lines = done.stdout.splitlines()
    assert lines[0] == f"mlp on iris, {path.stem} (last)"
    assert f"{path.relative_to(run.parent)}, {path.stat().st_size:,} bytes" in lines[1]
    assert "its outputs are bitwise equal" in lines[2]
    names: dict[str, Any] = {"safetensors": safetensors}
    exec(lines[-1].removeprefix("  load     "), names)  # As a user would paste it.
    assert names["weights"]
    again = dltool_here("export", run.name, "--format", "safetensors")
    assert (again.returncode, "--force" in again.stderr) == (2, True)
    assert dltool_here("export", run.name, "--format", "safetensors", "--force").returncode == 0
    assert [file.name for file in (run / "export").iterdir()] == [path.name]


def test_the_checkpoint_that_is_named(dltool_here: Dltool, run: Path) -> None:
    done = dltool_here("export", run.name, "--format", "torch", "--checkpoint", "best", "--output", "best.pt2")
    assert done.returncode == 0, done.stderr
    assert "(best)" in done.stdout
    assert (run.parent / "best.pt2").is_file()
    done = dltool_here("export", run.name, "--format", "torch", "--checkpoint", "step-9", "--output", "nine.pt2")
    assert done.returncode == 2
    assert not (run.parent / "nine.pt2").exists()


def test_packages_that_are_absent(dltool_here: Dltool, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxscript" else found(name))
    done = dltool_here("export", "nowhere", "--format", "onnx")
    assert done.returncode == 2
    assert "onnxscript" in done.stderr
    assert 'hint: pip install "dltool-torch[export]"' in done.stderr
