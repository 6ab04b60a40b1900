"""What loaders read is recorded: each file by the SHA-256 of its content, unzipped."""

import gzip
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dltool.data.arrays import RawData, Split, Texts
from dltool.data.contents import FileContent, hashed, load_recorded, note_file, recorded_contents
from dltool.data.csv_file import read_csv
from dltool.data.text_file import read_text

TEXT = b"a,b\n1,2\n3,4\n"
SAME = FileContent("t.csv", len(TEXT), hashlib.sha256(TEXT).hexdigest())


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A file and its gzipped copy."""
    plain, zipped = tmp_path / "t.csv", tmp_path / "t.csv.gz"
    plain.write_bytes(TEXT)
    zipped.write_bytes(gzip.compress(TEXT))
    return plain, zipped


def test_a_file_and_its_gzipped_copy_are_the_same(files: tuple[Path, Path]) -> None:
    for path in files:
        for read in (read_csv, read_text):
            with recorded_contents() as contents:
                read(path)
            assert contents.files == [SAME]


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_stream_is_hashed_while_it_is_read(size: int, files: tuple[Path, Path]) -> None:
    with recorded_contents() as contents, hashed(files[0].open("rb"), files[0]) as stream:
        read = b""
        while part := stream.read(size):
            read += part
    assert read == TEXT
    assert contents.files == [SAME]


def test_the_rest_of_a_stream_is_hashed_when_it_is_closed(files: tuple[Path, Path]) -> None:
    with recorded_contents() as contents, hashed(gzip.open(files[1]), files[1]) as stream:
        assert stream.readline() == b"a,b\n"
    assert contents.files == [SAME]


def test_nothing_is_hashed_unless_it_is_recorded(files: tuple[Path, Path]) -> None:
    note_file(files[0], TEXT)
    with files[0].open("rb") as stream:
        assert hashed(stream, files[0]) is stream


def test_a_file_that_is_read_twice_in_turn_counts_once(files: tuple[Path, Path]) -> None:
    with recorded_contents() as contents:
        for path in (*files, *files):
            read_csv(path)
        note_file(Path("u.csv"), b"other")
        read_csv(files[0])
    assert [file.name for file in contents.files] == ["t.csv", "u.csv", "t.csv"]


def test_the_samples_of_a_loader_of_the_users_are_hashed() -> None:
    raw = RawData(Split(torch.arange(6.0).view(3, 2), torch.tensor([0, 1, 0])), None, None, "classes", ("a", "b"))

    def hashed_samples(raw: RawData) -> str:
        with recorded_contents(of_samples=True) as contents:
            assert load_recorded(lambda: raw) is raw
        return contents.samples_sha256

    same = replace(raw, train=Split(raw.train.inputs.clone(), raw.train.targets.clone()), origin="elsewhere")
    assert hashed_samples(raw) == hashed_samples(same)
    others = [
        replace(raw, train=Split(raw.train.inputs * 1000, raw.train.targets)),
        replace(raw, train=Split(raw.train.inputs, 1 - raw.train.targets)),
        replace(raw, train=Split(raw.train.inputs.flip(0), raw.train.targets.flip(0))),
        replace(raw, test=raw.train),
        replace(raw, class_names=("a", "c")),
        replace(raw, texts=Texts(("one", "two"))),
        replace(raw, texts=Texts(("onet", "wo"))),
    ]
    digests = [hashed_samples(other) for other in (raw, *others)]
    assert len({*digests}) == len(digests)
    with recorded_contents() as contents:
        load_recorded(lambda: raw)
    assert contents.samples_sha256 == ""


@pytest.mark.parametrize("drawn", [True, False])
def test_it_is_recorded_whether_samples_are_drawn(drawn: bool) -> None:
    raw = RawData(Split(torch.zeros(3, 2), torch.tensor([0, 1, 0])), None, None, "classes", ("a", "b"))

    def load(rng: torch.Generator) -> RawData:
        return replace(raw, train=Split(torch.randn(3, 2, generator=rng), raw.train.targets)) if drawn else raw

    with recorded_contents() as contents:
        load_recorded(load, torch.Generator().manual_seed(1))
    assert contents.drawn == drawn
