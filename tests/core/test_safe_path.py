"""Nothing is written through a link, a pipe or a second name, and what is written is on the disk."""

import os
from pathlib import Path

import pytest

from dltool.core.safe_path import SafePath, UnsafeFileError

SECRET = "export PATH=/usr/bin\n"


@pytest.fixture
def victim(tmp_path):
    path = tmp_path / "elsewhere" / "profile"
    path.parent.mkdir()
    path.write_text(SECRET)
    return path


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "run"
    path.mkdir()
    return path


def symlink(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def hard_link(path: Path, victim: Path) -> None:
    path.hardlink_to(victim)


def dangling_link(path: Path, victim: Path) -> None:
    path.symlink_to(victim.with_name("not_there_yet"))


def pipe(path: Path, victim: Path) -> None:
    os.mkfifo(path)


WRITES = {
    "write": lambda file: file.write("new"),
    "append": lambda file: file.append().write(b"new"),
    "open": lambda file: os.close(file.open(os.O_RDWR | os.O_CREAT)),
    "truncate": lambda file: file.truncate(0),
    "sync": lambda file: file.sync(),
    "write_bytes": lambda file: file.write_bytes(b"new"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("trap", [symlink, hard_link, dangling_link, pipe])
def test_a_file_that_is_another_is_not_written(folder, victim, trap, write):
    trap(folder / "log.txt", victim)
    with pytest.raises(UnsafeFileError, match=r"log\.txt is .*; dltool writes only to regular files") as refused:
        write(SafePath(folder, "log.txt"))
    assert refused.value.exit_code == 2
    assert f"rm {folder}/log.txt" in refused.value.hint
    assert victim.read_text() == SECRET
    assert list(victim.parent.iterdir()) == [victim]


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_folder_that_is_a_link_is_not_entered(folder, victim, write):
    (folder / "plots").symlink_to(victim.parent)
    with pytest.raises(UnsafeFileError, match=r"plots is a link"):
        write(SafePath(folder, "plots", "profile"))
    assert victim.read_text() == SECRET
    assert list(victim.parent.iterdir()) == [victim]


def test_links_above_the_folder_are_the_users(folder, tmp_path):
    (tmp_path / "latest").symlink_to(folder)
    SafePath(tmp_path / "latest", "plots", "a.png").write_bytes(b"png")
    assert (folder / "plots" / "a.png").read_bytes() == b"png"


def test_a_write_replaces_whole_and_leaves_nothing_beside(folder):
    file = SafePath(folder, "status.json")
    file.write("old")
    file.write("newer")
    assert (folder / "status.json").read_text() == "newer"
    assert [path.name for path in folder.iterdir()] == ["status.json"]


def test_a_write_that_fails_keeps_what_was_there(folder, monkeypatch):
    file = SafePath(folder, "status.json")
    file.write("old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        file.write("new")
    assert (folder / "status.json").read_text() == "old"
    assert [path.name for path in folder.iterdir()] == ["status.json"]


def test_content_and_name_are_synced_in_that_order(folder, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (events.append(os.fstat(fd).st_ino), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda *a, **k: (replace(*a, **k), events.append("renamed")))
    SafePath(folder, "config.yaml").write("seed: 0\n")
    assert events == [(folder / "config.yaml").stat().st_ino, "renamed", folder.stat().st_ino]


def test_a_temporary_name_that_is_a_link_is_not_followed(folder, victim):
    (folder / f".tmp-status.json-{os.getpid()}").symlink_to(victim)
    SafePath(folder, "status.json").write("new")
    assert victim.read_text() == SECRET
    assert not (folder / "status.json").is_symlink()


def test_removing_a_link_keeps_what_it_names(folder, victim):
    (folder / "step-000001").symlink_to(victim.parent)
    SafePath(folder, "step-000001").remove()
    assert victim.read_text() == SECRET
    assert not (folder / "step-000001").is_symlink()
    SafePath(folder, "step-000001").remove()  # Nothing is there any more.


def test_a_library_gets_no_folder_with_a_link_in_it(folder, victim):
    files = SafePath(folder, "tensorboard")
    assert files.for_library() == folder / "tensorboard"
    (folder / "tensorboard" / "events").symlink_to(victim)
    with pytest.raises(UnsafeFileError, match="events is a symbolic link"):
        files.for_library()


def test_a_missing_folder_is_not_made_again(tmp_path):
    with pytest.raises(FileNotFoundError):
        SafePath(tmp_path / "removed", "log.txt").append()


def test_where_the_system_has_no_descriptors_of_folders(folder, victim, monkeypatch):
    monkeypatch.setattr("dltool.core.safe_path.BY_DESCRIPTOR", False)
    SafePath(folder, "plots", "a.png").write("png")
    assert (folder / "plots" / "a.png").read_text() == "png"
    (folder / "samples").symlink_to(victim.parent)
    (folder / "log.txt").symlink_to(victim)
    for file in (SafePath(folder, "samples", "profile"), SafePath(folder, "log.txt")):
        for write in WRITES.values():
            with pytest.raises(UnsafeFileError):
                write(file)
    assert victim.read_text() == SECRET
