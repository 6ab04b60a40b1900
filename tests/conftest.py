"""What tests of several folders share: trainings without a command line."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from disk import do_not_wait
from warm_process import run_dltool

from dltool.cli.main import main
from dltool.config.check import Config, check
from dltool.config.compose import compose
from dltool.declarations.registry import trust_paths

torch.set_num_threads(1)
os.fsync = do_not_wait
# Without compiled files each process compiles dltool again, and pytest rewrites the asserts of every test file.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture
def configure() -> Callable[..., Config]:
    """`configure("model=mlp", "data=iris")` gives the checked config, on one CPU thread and without a report."""
    usual = ["trainer.device=cpu", "trainer.threads=1", "logger.report=false"]
    return lambda *overrides: check(compose([*usual, *overrides]))


@pytest.fixture
def dltool_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Runs the command line in this process, which has imported torch already, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        capfd.readouterr()
        try:
            code = main(words)
        except SystemExit as error:
            code = int(error.code or 0)
        return subprocess.CompletedProcess(words, code, *capfd.readouterr())

    yield run
    torch.set_num_threads(1)
    trust_paths([])  # What a test registered by --trust is unknown to the next.


@pytest.fixture
def dltool(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line in a process of its own, in an empty folder."""

    def run(*words: str, cwd: Path = tmp_path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return run_dltool(*words, cwd=cwd, timeout=timeout)

    return run
