"""Foreign code is what its list says, and nothing else."""

import hashlib
import re

import dltool.report.page as pages

VENDOR = pages.FOLDER / "vendor"


def test_every_file_has_the_hash_that_is_listed() -> None:
    listed = dict(re.findall(r"^\| (\S+) \|.*\| ([0-9a-f]{64}) \|$", (VENDOR / "README.md").read_text(), re.M))
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.suffix in (".js", ".css")
    }
    assert found == listed


def test_every_library_has_its_licence() -> None:
    folders = [path for path in VENDOR.iterdir() if path.is_dir()]
    assert folders
    assert all("Permission is hereby granted" in (folder / "LICENSE").read_text() for folder in folders)
