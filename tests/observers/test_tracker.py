"""Which trackers can work is known before anything is trained or written."""

import importlib.util
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dltool.observers import tracker
from dltool.observers.tracker import TRACKERS

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize("verb", ["train", "check"])
def test_a_missing_package_is_exit_2_before_a_run_folder(
    name: str, verb: str, dltool_here: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = TRACKERS[name][2]
    found = importlib.util.find_spec
    monkeypatch.setattr(
        tracker.importlib.util, "find_spec", lambda package: None if package == packages[0] else found(package)
    )
    monkeypatch.setitem(TRACKERS, name, (*TRACKERS[name][:2], packages[:1]))
    done = dltool_here(verb, f"logger={name}", "data=iris", "model=mlp")
    assert done.returncode == 2
    assert f"error: logger.to=[{name}] needs the package {packages[0]}\n" in done.stderr
    assert f'hint: pip install "dltool-torch[{name}]"' in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_on_resume_leaves_the_run_as_it_is(
    dltool_here: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = [
        "data=iris",
        "model=mlp",
        "trainer.epochs=1",
        "trainer.device=cpu",
        "trainer.threads=1",
        "logger.plots=false",
    ]
    assert dltool_here("train", *small, "run.dir=run").returncode == 0
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.name != ".lock"}
    monkeypatch.setattr(tracker.importlib.util, "find_spec", lambda package: None)
    done = dltool_here("resume", "run", "trainer.epochs=2", "logger.to=[wandb]")
    assert done.returncode == 2
    assert "needs the package wandb" in done.stderr
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.name != ".lock"} == before


@pytest.mark.parametrize("name", TRACKERS)
def test_the_extra_exists(name: str) -> None:
    import tomllib

    from places import REPOSITORY

    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert name in extras
    for package in TRACKERS[name][2]:
        assert any(wanted.startswith(package) for wanted in extras[name])


def test_an_unknown_tracker(dltool_here: Cli) -> None:
    done = dltool_here("train", "logger.to=[wandbb]")
    assert done.returncode == 2
    assert "did you mean" in done.stderr
