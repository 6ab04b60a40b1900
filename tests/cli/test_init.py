"""The project that `dltool init` makes does what its README says."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from places import one_thread

from dltool.core.package import NOTEBOOK

Run = Callable[..., subprocess.CompletedProcess[str]]
QUICK = ["trainer.epochs=1", "logger.plots=false", "data=iris"]


def test_every_command_of_its_readme(dltool_here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made = dltool_here("init", "我的 project")
    assert made.returncode == 0
    assert "cd '我的 project' && dltool train --trust models.py model=mine" in made.stdout
    monkeypatch.chdir("我的 project")
    assert Path(".gitignore").read_text().startswith("outputs/")
    text = Path("README.md").read_text(encoding="utf-8")
    commands = [shlex.split(line, comments=True) for line in re.findall(r"^    (dltool .*)", text, re.MULTILINE)]
    assert len(commands) == 4
    for words in commands:
        sweep = "-m" in words
        if sweep:  # In processes, which tests/trust/test_trusted_runs.py tries.
            words += ["--cfg", "job"]
        done = dltool_here(*words[1:], *(QUICK if words[1] == "train" else []))
        assert done.returncode == 0, done.stderr
        assert ("dltool train --trust models.py model=mine seed=1" if sweep else "mine") in done.stdout
    assert "mine" in dltool_here("list", "model", "--trust", "models.py").stdout


def test_its_test_passes(dltool_here: Run) -> None:
    dltool_here("init", "project")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd="project", capture_output=True, text=True, timeout=120, env=one_thread())
    assert "2 passed" in done.stdout, done.stdout


def test_nothing_is_overwritten(dltool_here: Run, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert dltool_here("init").returncode == 0
    before = (tmp_path / "models.py").read_bytes()
    refused = dltool_here("init")
    assert refused.returncode == 2
    assert f"{tmp_path} is not empty: it contains .gitignore" in refused.stderr
    assert "hint: dltool init my_project" in refused.stderr
    assert (tmp_path / "models.py").read_bytes() == before
    assert "is a file" in dltool_here("init", "models.py").stderr
    assert "models.py" in dltool_here("init", "models.py/below").stderr


def test_the_notebook_is_written_once(dltool_here: Run, tmp_path: Path) -> None:
    made = dltool_here("init", "--notebook", "course")
    assert made.stdout.splitlines() == [
        "course/first_hour.ipynb",
        "now        cd course && jupyter lab first_hour.ipynb",
    ]
    assert (tmp_path / "course" / "first_hour.ipynb").read_bytes() == NOTEBOOK.read_bytes()
    refused = dltool_here("init", "--notebook", "course")
    assert refused.returncode == 2
    assert f"{tmp_path}/course/first_hour.ipynb exists" in refused.stderr
    assert "hint: dltool init --notebook course/notebooks" in refused.stderr
    both = dltool_here("init", "--notebook", "--example", "attack")
    assert both.returncode == 2
