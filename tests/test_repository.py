"""What a clone has beside the package: the licence, and the folder for runs."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from fabricated import make_run
from places import REPOSITORY, command, one_thread

from dltool import __version__
from dltool.runs.catalog import find_runs


def test_the_licence_goes_into_every_distribution() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["project"]["license"] == "MIT"
    assert settings["project"]["license-files"] == ["LICENSE"]
    assert "LICENSE" in settings["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    text = (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("MIT License\n\nCopyright (c) 2026 the dltool developers\n")
    assert "without restriction" in text


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what the repository says of outputs/, and a run in it."""
    (tmp_path / "outputs").mkdir()
    for name in (".gitignore", "outputs/.gitignore"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    make_run(tmp_path / "outputs" / "2026-11-20" / "14-18-25_mlp_iris")
    return tmp_path


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_tracks_the_folder_and_no_run(clone: Path) -> None:
    make_run(clone / "my_project" / "outputs" / "2026-11-20" / "run")
    subprocess.run(["git", "init", "-q"], cwd=clone, check=True)
    listed = ["git", "ls-files", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=clone, check=True, capture_output=True, text=True).stdout.splitlines()
    assert files == [".gitignore", "outputs/.gitignore"]


def test_the_file_in_outputs_is_no_run(clone: Path) -> None:
    run = clone / "outputs" / "2026-11-20" / "14-18-25_mlp_iris"
    assert list(find_runs(clone / "outputs")) == [run]
    assert said(clone, "runs", "--csv").count("\n") == 2
    assert "removed" in said(clone, "runs", "rm", "model=mlp", "--yes")
    assert [path.name for path in (clone / "outputs").iterdir()] == [".gitignore"]
    assert "14-18-25" not in said(clone, "runs")


def said(folder: Path, *words: str) -> str:
    done = subprocess.run(command(*words), cwd=folder, capture_output=True, text=True, timeout=60, env=one_thread())
    assert done.returncode == 0, done.stderr
    return done.stdout


def module(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`python -m dltool WORDS`."""
    line = [sys.executable, "-m", "dltool", *words]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=120, env=one_thread())


def test_python_m_dltool_is_the_command(tmp_path: Path) -> None:
    assert module(tmp_path, "--version").stdout == f"dltool {__version__}\n"
    for words in (["--help"], ["train", "--help"]):
        assert module(tmp_path, *words).stdout == said(tmp_path, *words)
        assert module(tmp_path, *words).stdout.startswith(f"usage: {' '.join(['dltool', *words[:-1]])} ")
    wrong = module(tmp_path, "train", "optim.lr=-1")
    assert (wrong.returncode, wrong.stderr.splitlines()[1]) == (2, "hint: the default of adam is optim.lr=0.001")


def test_a_sweep_of_python_m_dltool_starts_its_processes(tmp_path: Path) -> None:
    words = ["data=iris", "model=mlp", "seed=0,1", "trainer.epochs=1", "trainer.threads=1", "logger.plots=false"]
    done = module(tmp_path, "train", "-m", *words, "sweep.n_jobs=2", "sweep.dir=sweep")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "sweep").glob("*/status.json"))) == 2
    assert done.stderr.count("finished") == 2
