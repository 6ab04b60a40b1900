"""Only regular files of bounded size are read, and what is wrong with one is said with its path."""

import json
import os
import socket
from pathlib import Path

import pytest

from dltool.core import safe_read
from dltool.core.safe_path import SafePath
from dltool.core.safe_read import (
    MalformedError,
    UnreadableError,
    decode_line,
    read_json,
    read_lines,
    read_regular,
    understood,
)


def symbolic(path, victim):
    path.symlink_to(victim)


def pipe(path, victim):
    os.mkfifo(path)


def device(path, victim):
    path.symlink_to("/dev/zero")


def folder(path, victim):
    path.mkdir()


def listening(path, victim):
    here = Path.cwd()
    os.chdir(path.parent)  # A path of a socket is at most 107 bytes long.
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.chdir(here)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path / "run" / "status.json"


@pytest.fixture
def victim(tmp_path):
    path = tmp_path / "private.json"
    path.write_text('{"private": 1}')
    return path


@pytest.mark.parametrize("trap", [symbolic, pipe, device, folder, listening])
def test_what_is_no_regular_file_is_not_read(file, victim, trap):
    trap(file, victim)
    for read in (read_regular, read_json, lambda path: list(read_lines(path))):
        with pytest.raises(UnreadableError, match=r"status\.json is .*; only regular files are read") as refused:
            read(file)
    assert (refused.value.exit_code, refused.value.hint.endswith(f"rm {file}")) == (2, True)


def test_a_folder_below_the_root_is_not_entered_by_a_link(file, victim, tmp_path):
    (file.parent / "plots").symlink_to(tmp_path)
    with pytest.raises(UnreadableError, match="plots is a link"):
        read_regular(SafePath(file.parent, "plots", victim.name))


def test_hard_links_and_links_above_the_folder_are_read(file, victim, tmp_path):
    file.hardlink_to(victim)
    (tmp_path / "latest").symlink_to(file.parent)
    assert read_json(tmp_path / "latest" / file.name) == {"private": 1}


def test_a_missing_file_has_nothing(file):
    assert read_json(file) == {}
    assert list(read_lines(file)) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[]", "an object is needed"),
        ("{", "Expecting property name"),
        ('{"a": ' + "[" * 500 + "]" * 500 + "}", "more than 100 levels"),
        ("[" * 100_000, "more than 100 levels"),
        ('{"a": ' + "9" * 5000 + "}", "a number of 5,000 digits"),
        (b"\xff\xfe{", "codec"),
    ],
    ids=["list", "torn", "deep", "very deep", "long number", "no text"],
)
def test_content_that_no_run_has(file, content, problem):
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(MalformedError, match=problem) as refused:
        read_json(file)
    assert str(file) in refused.value.message


def test_sizes_are_bounded(file, monkeypatch):
    file.write_text(json.dumps({"a": [0] * 50}))
    monkeypatch.setattr(safe_read, "MAX_JSON_VALUES", 40)
    with pytest.raises(MalformedError, match="more than 40 values"):
        read_json(file)
    with pytest.raises(UnreadableError, match="larger than 20 bytes"):
        read_json(file, 20)
    with file.open("wb") as sparse:
        sparse.truncate(100 * 2**30)
    for read in (read_regular, lambda path: list(read_lines(path))):
        with pytest.raises(UnreadableError, match="larger than"):
            read(file)


def test_a_long_line_is_skipped_and_half_a_line_is_no_object(file, monkeypatch):
    monkeypatch.setattr(safe_read, "MAX_LINE", 10)
    file.write_bytes(b'{"a": 1}\n' + b"x" * 95 + b'\n{"b": 2}\n{"c"')
    assert [decode_line(line) for line in read_lines(file)] == [{"a": 1}, {"b": 2}, None]


def test_an_odd_value_is_said_with_its_file(file):
    said = r"status\.json is not what dltool writes: KeyError: 'seconds'"
    with pytest.raises(MalformedError, match=said), understood(file):
        {}["seconds"]
