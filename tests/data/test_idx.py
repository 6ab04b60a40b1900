import gzip
import struct

import numpy as np
import pytest

from dltool.core.errors import DataError
from dltool.data.idx import read_idx

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def idx_bytes(array):
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.mark.parametrize("name", ["images", "图像.gz"])
def test_reads_plain_and_gzipped(tmp_path, name):
    content = idx_bytes(IMAGES)
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    read = read_idx(path, 3)
    assert np.array_equal(read, IMAGES)
    assert read.flags.writeable


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (idx_bytes(IMAGES)[:-1], "truncated: 39 bytes where 2 × 3 × 4 items take 40"),
        (idx_bytes(IMAGES) + b"x", "too long: 41 bytes"),
        (idx_bytes(IMAGES)[:9], "truncated within its header"),
        (b"", "starts with nothing"),
        (b"\x89PNG" + bytes(40), "starts with 89504e47, not with the IDX number 00000803"),
        (idx_bytes(IMAGES.reshape(-1)), "starts with 00000801"),
        (bytes((0, 0, 8, 3)) + b"\xff" * 12, "truncated: 16 bytes"),
    ],
)
def test_damage_is_named_with_the_absolute_path(tmp_path, monkeypatch, content, part):
    (tmp_path / "数据").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        read_idx(tmp_path.__class__("数据"), 3)
    assert part in caught.value.message
    assert caught.value.message.startswith(str(tmp_path / "数据"))


@pytest.mark.parametrize(
    "damage", [lambda gz: gz[:-12], lambda gz: gz[:15] + b"\xff\xff\xff" + gz[18:], lambda gz: b"no gzip"]
)
def test_damaged_gzip(tmp_path, damage):
    path = tmp_path / "images.gz"
    path.write_bytes(damage(gzip.compress(idx_bytes(IMAGES))))
    with pytest.raises(DataError, match="damaged or truncated"):
        read_idx(path, 3)


def test_folder_in_place_of_a_file(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(tmp_path, 3)
