import os
from pathlib import Path

import pytest
from fabricated import make_run

from dltool.core.errors import ConfigError
from dltool.runs.catalog import read_run
from dltool.runs.folder import RunFolder
from dltool.runs.removal import check_removable, remove


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "outputs"


def test_a_removed_run_takes_empty_folders_with_it_up_to_the_root(root: Path) -> None:
    one, two = make_run(root / "2026-11-20" / "sweep" / "1"), make_run(root / "2026-11-21" / "2")
    kept = make_run(root / "2026-11-21" / "3")
    freed = remove([read_run(one), read_run(two)], root, checkpoints_only=False)
    assert 2_000_000 < freed < 2_010_000
    assert not (root / "2026-11-20").exists()
    assert [path.name for path in (root / "2026-11-21").iterdir()] == ["3"]
    remove([read_run(kept)], root, checkpoints_only=False)
    assert list(root.iterdir()) == []


def test_checkpoints_alone(root: Path) -> None:
    run = make_run(root / "2026-11-20" / "1")
    assert remove([read_run(run)], root, checkpoints_only=True) == 1_000_011  # The weights and the pointer `last`.
    assert not (run / "checkpoints").exists()
    assert read_run(run).state == "finished"
    assert remove([read_run(run)], root, checkpoints_only=True) == 0


def test_nothing_behind_a_link_is_removed(root: Path, tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "gold").write_text("gold")
    run = make_run(root / "run")
    (run / "samples").symlink_to(treasure)
    (run / "checkpoints" / "old").symlink_to(treasure)
    linked = make_run(root / "linked")
    (linked / "checkpoints").rename(treasure / "checkpoints")
    (linked / "checkpoints").symlink_to(treasure / "checkpoints")
    remove([read_run(linked)], root, checkpoints_only=True)
    remove([read_run(run)], root, checkpoints_only=False)
    assert (treasure / "gold").read_text() == "gold"
    assert (treasure / "checkpoints" / "step-000020" / "weights.safetensors").exists()
    assert not run.exists()
    assert not os.path.lexists(linked / "checkpoints")


def test_what_must_stay_is_refused(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    far = make_run(tmp_path / "far" / "run")
    root.mkdir()
    (root / "link").symlink_to(far)
    (root / "folder").symlink_to(far.parent)
    project = root / "project"
    project.mkdir()
    (project / "config.yaml").write_text("my: own\n")
    used = make_run(root / "used", state="running")
    holder = RunFolder(used)
    holder.hold()
    for path, message in [
        (root / "link", "through a link"),
        (root / "folder" / "run", "through a link"),
        (project, "does not look like a run"),
        (used, "is running"),
    ]:
        with pytest.raises(ConfigError, match=message):
            check_removable([read_run(path)], root)
    check_removable([read_run(far)], root)  # Named by its own path.
    monkeypatch.chdir(far / "checkpoints")
    with pytest.raises(ConfigError, match="holds the working directory"):
        check_removable([read_run(far)], root)
    holder.close()


def test_a_damaged_run_can_be_removed(root: Path) -> None:
    run = make_run(root / "run")
    (run / "status.json").write_text("{")
    (run / ".lock").unlink()  # As on Windows: the header of config.yaml remains.
    check_removable([read_run(run)], root)


def test_a_run_that_was_resumed_meanwhile_is_kept(root: Path) -> None:
    run = make_run(root / "run", state="interrupted")
    record, other = read_run(run), RunFolder(run)
    other.hold()
    with pytest.raises(ConfigError, match="is training"):
        remove([record], root, checkpoints_only=False)
    other.close()
    assert (run / "status.json").exists()
