"""Data is recognised by its contents, wherever it lies; every change of it is noticed and named."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dltool.core.errors import DataError
from dltool.data import fingerprint as module
from dltool.data.contents import Contents, FileContent
from dltool.data.fingerprint import Fingerprint, compare, take_fingerprint
from dltool.data.image_files import ImageFiles

A, B = FileContent("a.csv", 10, "aa"), FileContent("b.csv", 10, "bb")
SIZES = {"train": 8, "test": 2}


def of_files(*files: FileContent, samples: int = 8) -> Fingerprint:
    return take_fingerprint(Contents(files=list(files)), {**SIZES, "train": samples}, {"name": "csv"})


def of_folder(root: Path, before: Fingerprint | None = None) -> Fingerprint:
    paths = sorted(str(path.relative_to(root)) for path in root.rglob("*.png"))
    return take_fingerprint(Contents(images=[ImageFiles(root, paths, 3)]), SIZES, {"name": "image_folder"}, before)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two folders with three files of three bytes; nothing is decoded."""
    for name in ("cats", "dogs"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(3):
            (tmp_path / "images" / name / f"{number}.png").write_bytes(f"{name[0]}{number}x".encode())
    return tmp_path / "images"


def test_it_can_be_saved_and_read(images: Path) -> None:
    for one in (of_files(A, B), of_folder(images), take_fingerprint(Contents(), SIZES, {"name": "moons"})):
        saved = json.loads(json.dumps(one.to_json()))
        again = Fingerprint.from_json(saved, "data.json")
        assert again == one
        assert saved["digest"] == again.digest
    assert saved["generator"] == {"name": "moons"}
    for damaged, message in (({"format": 2}, "has the format 2"), ({"format": 1, "files": 3}, "is damaged")):
        with pytest.raises(DataError, match=f"run/data.json {message}"):
            Fingerprint.from_json(damaged, "run/data.json")


def test_files_are_the_same_under_other_names() -> None:
    assert compare(of_files(A), of_files(A._replace(name="copy.csv"))) == ("", "")
    assert of_files(A).digest == of_files(A._replace(name="copy.csv")).digest


@pytest.mark.parametrize(
    ("before", "now", "difference"),
    [
        (of_files(A), of_files(A._replace(sha256="cc")), "a.csv has other contents (of the same size)"),
        (
            of_files(A),
            of_files(A._replace(sha256="cc", bytes=1012), samples=9),
            "a.csv has other contents (10 bytes then, 1,012 now; 10 samples then, 11 now)",
        ),
        (of_files(A), of_files(B), "b.csv has other contents, in place of a.csv (of the same size)"),
        (of_files(A, B), of_files(B, A), "b.csv has other contents, in place of a.csv (of the same size)"),
        (of_files(A, B), of_files(A), "2 files were read then, 1 now"),
    ],
)
def test_another_file_is_named(before: Fingerprint, now: Fingerprint, difference: str) -> None:
    assert compare(before, now).difference == difference
    assert before.digest != now.digest


def test_images_are_the_same_elsewhere_and_at_other_times(images: Path, tmp_path: Path) -> None:
    before = of_folder(images)
    copy = Path(shutil.copytree(images, tmp_path / "copy"))
    for path in copy.rglob("*.png"):
        os.utime(path, (1, 1))
    now = of_folder(copy, before)
    assert compare(before, now) == ("", "")
    assert before.digest == now.digest
    assert {name: one.files for name, one in now.folders.items()} == {"cats": 3, "dogs": 3}


def keep_times(path: Path, content: bytes) -> None:
    about = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (
            lambda root: keep_times(root / "dogs" / "1.png", b"d7x"),
            "the folder dogs has an image with other contents, of the same name and size",
        ),
        (lambda root: (root / "cats" / "3.png").write_bytes(b"c3x"), "the folder cats had 3 images and has 4"),
        (lambda root: (root / "cats" / "0.png").unlink(), "the folder cats had 3 images and has 2"),
        (
            lambda root: (root / "cats" / "0.png").rename(root / "cats" / "9.png"),
            "the folder cats has images of other names or sizes",
        ),
        (
            lambda root: (root / "cats" / "0.png").write_bytes(b"c0xy"),
            "the folder cats has images of other names or sizes",
        ),
        (lambda root: shutil.rmtree(root / "cats"), "the folder cats has no images any more"),
        (lambda root: shutil.copytree(root / "cats", root / "birds"), "the folder birds is new"),
    ],
)
def test_another_image_is_noticed(images: Path, change: Callable[[Path], object], difference: str) -> None:
    before = of_folder(images)
    change(images)
    now = of_folder(images, before)
    assert compare(before, now).difference == difference
    assert before.digest != now.digest


def test_unchanged_images_are_not_read_again(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = of_folder(images)
    (images / "dogs" / "1.png").write_bytes(b"d1x")  # The same content, written again.
    read: list[str] = []
    whole = module.hash_files
    monkeypatch.setattr(module, "hash_files", lambda paths: read.extend(paths) or whole(paths))
    assert compare(before, of_folder(images, before)) == ("", "")
    assert read == [str(images / "dogs" / f"{number}.png") for number in range(3)]


def test_the_contents_of_very_many_images_are_sampled(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """18 bytes where 9 may be read: those of every second image, and it is said that not all were compared."""
    monkeypatch.setattr(module, "CONTENT_BYTES", 9)
    before = of_folder(images)
    assert {one.every for one in before.folders.values()} == {2}
    assert compare(before, of_folder(images, before)) == ("", "")
    (images / "cats" / "0.png").write_bytes(b"c7x")
    assert compare(before, of_folder(images, before)).difference
    (images / "cats" / "0.png").write_bytes(b"c0x")
    (images / "cats" / "1.png").write_bytes(b"c7x")
    difference, note = compare(before, of_folder(images, before))
    assert not difference
    assert "the contents of one in 2 were compared and are the same" in note


def test_built_in_data_is_compared_by_its_settings_alone() -> None:
    moons = take_fingerprint(Contents(), SIZES, {"name": "moons", "noise": 0.1})
    assert moons.digest != replace(moons, generator={"name": "moons", "noise": 0.2}).digest
    assert compare(moons, of_files(A)) == ("", "")
