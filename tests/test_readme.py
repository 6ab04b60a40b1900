"""What the README shows works as written."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import REPOSITORY, one_thread

from dltool.cli.main import VERBS

README = REPOSITORY / "README.md"


def block_after(heading: str, language: str) -> str:
    """The first fenced block of a language after a heading."""
    text = README.read_text(encoding="utf-8").split(heading, 1)[1]
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package and its configs, to which a file can be added."""
    for folder in ("dltool", "configs"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(cwd: Path, *words: str) -> str:
    command = [sys.executable, "-m", "dltool.cli.main", *words]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, env=one_thread())
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_model_is_one_file_and_one_yaml(copy: Path) -> None:
    (copy / "dltool" / "models" / "highway.py").write_text(block_after("## Add a model", "python"), encoding="utf-8")
    (copy / "configs" / "model" / "highway.yaml").write_text(block_after("## Add a model", "yaml"), encoding="utf-8")
    assert "Highway network" in run(copy, "list", "model")
    assert "all is well" in run(copy, "check", "model=highway", "data=iris", "model.depth=2")


def test_the_experiment(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    text = block_after("## Share an experiment", "yaml")
    (tmp_path / "experiment" / "wide.yaml").write_text(text, encoding="utf-8")
    assert "all is well" in run(tmp_path, "check", "--config-dir", ".", "experiment=wide")


def test_every_option_and_command_is_named() -> None:
    text = README.read_text(encoding="utf-8")
    for group in ("model", "data", "task", "schedule"):
        for path in (REPOSITORY / "configs" / group).glob("*.yaml"):
            assert f"`{path.stem}`" in text, f"{group}={path.stem}"
    for verb in VERBS:
        assert f"`dltool {verb}" in text


def test_pictures_are_there() -> None:
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README.read_text(encoding="utf-8")):
        assert (REPOSITORY / picture).stat().st_size > 1000, picture
