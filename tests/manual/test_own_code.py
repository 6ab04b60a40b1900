"""The files that the manual shows, added to dltool or given to it, work as written."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import REPOSITORY, one_thread

from dltool.manual.pages import pages


def fence_with(topic: str, language: str, words: str) -> str:
    """The first fence of a language on a page that contains the words."""
    text = pages()[topic].text
    found = [body for body in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL) if words in body]
    return found[0]


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
    python, yaml = (fence_with("own_code", language, "highway") for language in ("python", "yaml"))
    (copy / "dltool" / "models" / "highway.py").write_text(python, encoding="utf-8")
    (copy / "configs" / "model" / "highway.yaml").write_text(yaml, encoding="utf-8")
    assert "Highway network" in run(copy, "list", "model")
    assert "all is well" in run(copy, "check", "model=highway", "data=iris", "model.depth=2")


def test_an_experiment_to_share(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    text = fence_with("experiments", "yaml", "record:")
    (tmp_path / "experiment" / "wide.yaml").write_text(text, encoding="utf-8")
    assert "all is well" in run(tmp_path, "check", "--config-dir", ".", "experiment=wide")
