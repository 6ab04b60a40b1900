"""A run folder says which format it has."""

import json
import tomllib
from pathlib import Path

import pytest
from fabricated import make_run
from places import REPOSITORY

from dltool.core.errors import ConfigError
from dltool.core.process import VERSION
from dltool.runs.folder import FORMAT, RunFolder, describe_environment


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION


def test_a_new_run_says_its_format() -> None:
    environment = describe_environment()
    assert environment["format"] == FORMAT
    assert environment["versions"]["dltool"] == VERSION


@pytest.mark.parametrize("environment", [{}, {"format": 1}, {"format": FORMAT}])
def test_runs_of_this_and_earlier_versions_are_read(tmp_path: Path, environment: dict[str, int]) -> None:
    path = make_run(tmp_path / "run")
    (path / "environment.json").write_text(json.dumps(environment), encoding="utf-8")
    assert RunFolder.open(str(path)).path == path


@pytest.mark.parametrize("number", [FORMAT + 1, 0, "2", None])
def test_a_run_of_another_format_is_refused(tmp_path: Path, number: object) -> None:
    path = make_run(tmp_path / "run")
    (path / "environment.json").write_text(json.dumps({"format": number}), encoding="utf-8")
    with pytest.raises(
        ConfigError, match=f"has the run format {number}; dltool .* reads the formats 1 to {FORMAT}"
    ) as e:
        RunFolder.open(str(path))
    assert e.value.hint == "pip install --upgrade dltool-torch"
