"""Text files."""

import gzip
from pathlib import Path

import pytest

from dltool.core.errors import DataError
from dltool.data.text_file import read_lines, read_text


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_byte_order_marks_line_ends_and_gzip(tmp_path, pack):
    path = tmp_path / "text"
    path.write_bytes(pack("\ufeffeins\r\nzwei\rdrei\n\n 四 \n".encode()))
    assert read_text(path) == "eins\nzwei\ndrei\n\n 四 \n"
    assert read_lines(path) == ["eins", "zwei", "drei", "四"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"one\ntwo\nna\xefve\n", r"text\.txt is not UTF-8: line 3 has the byte 0xef"),
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (gzip.compress(b"one" * 99, mtime=0)[:-12], "cannot be read"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, message):
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        read_text(path)
    assert str(path) in str(error.value)


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.txt cannot be read: No such file"):
        read_text(tmp_path / "none.txt")
    with pytest.raises(DataError, match="Is a directory"):
        read_text(tmp_path)


def test_a_gzipped_file_that_grows_without_measure_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("dltool.data.text_file.LARGEST_UNZIPPED", 1_000_000)
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"1,2,yes\n" * 125_000))
    assert len(read_text(path)) == 1_000_000
    path.write_bytes(gzip.compress(b"1,2,yes\n" * 125_001))
    with pytest.raises(DataError, match="its content is more than 100 times as large") as error:
        read_text(path)
    assert f"gunzip -k {path}" in str(error.value.hint)


@pytest.mark.parametrize(
    ("start", "kind"),
    [(b"PK\x03\x04\x14\0", "a workbook of Excel or a ZIP"), (b"PAR1\x15", "a Parquet"), (b"BZh91AY", "a bzip2")],
)
def test_files_of_another_kind_are_named(tmp_path: Path, start: bytes, kind: str) -> None:
    (tmp_path / "t.csv").write_bytes(start + bytes(range(256)))
    with pytest.raises(DataError, match=rf"t\.csv is {kind}.*, not a text file"):
        read_text(tmp_path / "t.csv")
