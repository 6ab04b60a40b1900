"""Hints name the distribution that is installed, whatever it is called."""

import tomllib
from importlib import metadata
from types import SimpleNamespace

import pytest
from places import REPOSITORY

from dltool.core.distribution import NAME, SCRIPT, distribution, install


@pytest.fixture(autouse=True)
def _not_remembered() -> None:
    distribution.cache_clear()


def test_the_name_is_that_of_pyproject() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == NAME
    assert project["scripts"] == {"dltool": SCRIPT}
    assert all(NAME in line for line in project["optional-dependencies"]["dev"] if "dltool" in line)


def test_a_fork_under_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = SimpleNamespace(value="dlltool.cli:main", dist=SimpleNamespace(name="dltool"))
    ours = SimpleNamespace(value=SCRIPT, dist=SimpleNamespace(name="dltool-fork"))
    monkeypatch.setattr(metadata, "entry_points", lambda **_: [theirs, ours])
    assert install("tune") == 'pip install "dltool-fork[tune]"'


def test_from_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "entry_points", lambda **_: [])
    assert distribution() == NAME
    distribution.cache_clear()
