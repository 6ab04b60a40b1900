"""What tests of several folders share: trainings without a command line."""

import gc
import os
import shutil
import signal
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
torch.manual_seed(0)  # For the modules that a test file creates when it is imported.
os.fsync = do_not_wait
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # `pytest &` in a script; the commands would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Without compiled files each process compiles dltool again, and pytest rewrites the asserts of every test file.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: a sixth of the suite's time is spent waiting for other processes."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """The garbage collector does not look through modules and thousands of tests again and again."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Initial weights are the same each time, whichever tests ran before in this process."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def no_safe_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undoes what `main` sets in this process: the next test may start a Python that imports from its folder."""
    monkeypatch.setenv("PYTHONSAFEPATH", "")


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


@pytest.fixture(scope="session")
def trainings() -> dict[tuple[Path, tuple[str, ...]], Path]:
    """Test file and words of a training to a copy of its run folder; see `trained_here`."""
    return {}


@pytest.fixture
def trained_here(
    dltool_here: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    trainings: dict[tuple[Path, tuple[str, ...]], Path],
    request: pytest.FixtureRequest,
) -> Callable[..., Path]:
    """`trained_here("outputs/a", "model=mlp", …)` is a run folder in the test's empty folder.

    The training is done once for the tests of a file, which get copies.
    """

    def folder(run_dir: str, *words: str) -> Path:
        run, key = tmp_path / run_dir, (request.path, (run_dir, *words))
        if key in trainings:
            shutil.copytree(trainings[key], run)
        else:
            done = dltool_here("train", *words, f"run.dir={run_dir}")
            assert done.returncode == 0, done.stderr
            trainings[key] = tmp_path_factory.mktemp("trained") / "run"
            shutil.copytree(run, trainings[key])
        return run

    return folder


@pytest.fixture
def dltool(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line in a process of its own, in an empty folder."""

    def run(*words: str, cwd: Path = tmp_path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return run_dltool(*words, cwd=cwd, timeout=timeout)

    return run
