"""Encodings of text files: recognized where that is certain, named by the user elsewhere."""

import gzip
from pathlib import Path

import pytest

from dltool.core.errors import ConfigError, DataError
from dltool.data.csv_file import read_csv
from dltool.data.text_file import BLOCK, SETTING, TextFile, assumed_encoding, decoded_text, read_blocks, read_text

TEXT = "名,value\n" + "".join(f"红色 {i},{i}\n" for i in range(60))


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_unicode_is_recognized(encoding: str, pack, tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", pack(TEXT.encode(encoding)))
    assert read_text(path) == TEXT
    assert list(read_csv(path).columns[0]) == [f"红色 {i}" for i in range(60)]


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "shift_jis", "cp1252"])
def test_other_encodings_have_to_be_named(encoding: str, tmp_path: Path) -> None:
    text = "name,y\n" + "café,1\n" * 9 if encoding == "cp1252" else "name,y\n" + "大小,1\n" * 9
    path = written(tmp_path / "t.csv", text.encode(encoding))
    with pytest.raises(DataError, match=r"t\.csv is not UTF-8: line 2 has the byte 0x") as caught:
        read_csv(path)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("data.encoding=")
    if encoding in ("gb18030", "cp1252"):
        word = text.split("\n")[1].split(",")[0]
        assert caught.value.hint.startswith(f"data.encoding={encoding}")
        assert f"{word},1' as {encoding}" in caught.value.message
    table = read_csv(path, encoding=encoding)
    assert set(table.columns[0]) == {text.split("\n")[1].split(",")[0]}
    assert f"read as {encoding.upper()}" in table.note


@pytest.mark.parametrize("place", [0, 1, BLOCK - 1, BLOCK, 3 * BLOCK + 5])
def test_a_wrong_byte_anywhere_is_found_with_its_line(place: int, tmp_path: Path) -> None:
    content = bytearray(b"a,b,c\n1,2,3\n" * (BLOCK // 3))
    content[place] = 0xE9
    path = written(tmp_path / "t.csv", bytes(content))
    line = content.count(b"\n", 0, place) + 1
    for read in (read_csv, read_text):
        with pytest.raises(DataError, match=rf"line {line} has the byte 0xe9"):
            read(path)


def test_characters_across_blocks_are_whole(tmp_path: Path) -> None:
    text = "红,色\r\n" * BLOCK
    for encoding in ("utf-8", "utf-16"):
        assert read_text(written(tmp_path / "t", text.encode(encoding))) == text.replace("\r\n", "\n")


def test_nul_and_control_characters_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", b"a,b\n1,2\n1,\x002\n")
    with pytest.raises(DataError, match="line 3 has a NUL character"):
        read_csv(path)
    path = written(tmp_path / "q.csv", "a,b\n1,“2”\n".encode("cp1252"))
    with pytest.raises(DataError, match="line 2 has the byte 0x93") as caught:
        TextFile(path, "latin-1", SETTING).read()
    assert caught.value.hint == "data.encoding=cp1252"
    with pytest.raises(ConfigError, match=r"data\.encoding=base64 is not an encoding"):
        TextFile(path, "base64").read()


def test_a_byte_order_mark_overrules_the_setting(tmp_path: Path) -> None:
    file = TextFile(written(tmp_path / "t", "\ufeffä".encode()), "cp1252")
    assert file.read() == "ä"
    file = TextFile(written(tmp_path / "t", "ä".encode("utf-16")), "cp1252")
    assert file.read() == "ä"
    assert "by its byte order mark, not cp1252" in file.note


def test_the_bytes_are_read_once_and_unzipped(tmp_path: Path) -> None:
    path = written(tmp_path / "t.gz", gzip.compress(b"x" * (2 * BLOCK + 3)))
    assert [len(block) for block in read_blocks(path)] == [BLOCK, BLOCK, 3]


@pytest.mark.parametrize(("encoding", "text"), [("cp1252", "café\n"), ("gb18030", "大小\n"), ("shift_jis", "日本語\n")])
def test_a_likely_encoding_is_that_of_files_that_are_not_unicode(encoding: str, text: str, tmp_path: Path) -> None:
    with assumed_encoding("auto", encoding, "--encoding %s"):
        for codec in (encoding, "utf-8", "utf-8-sig", "utf-16"):
            assert read_text(written(tmp_path / "t", text.encode(codec))) == text
            assert decoded_text(text.encode(codec), "standard input") == text
    other = "utf-8" if encoding == "cp1252" else "cp1252"
    with assumed_encoding(encoding, other, "--encoding %s"):
        assert read_text(written(tmp_path / "t", text.encode(encoding))) == text
    with assumed_encoding("auto", "auto", "--encoding %s"), pytest.raises(DataError) as caught:
        read_text(written(tmp_path / "t", text.encode(encoding)))
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("--encoding ")
    with assumed_encoding("auto", encoding, "--encoding %s"):
        assert TextFile(tmp_path / "t", "utf-8", SETTING).hint == SETTING  # What its reader names comes first.
