import struct
import zlib

import numpy as np
import pytest
from synthetic_images import mat_bytes

from dltool.core.errors import DataError
from dltool.data.mat import read_mat

X = np.arange(2 * 3 * 3 * 5, dtype=np.uint8).reshape(2, 3, 3, 5)
Y = np.array([[1.0], [10.0], [3.0], [4.0], [5.0]])


def read(path, content, wanted=("X", "y")):
    path.write_bytes(content)
    return read_mat(path, wanted, "another file")


@pytest.mark.parametrize("compress", [False, True])
def test_arrays_of_any_shape(tmp_path, compress):
    found = read(tmp_path / "a.mat", mat_bytes({"X": X, "other": Y, "y": Y}, compress))
    assert list(found) == ["X", "y"]
    assert found["X"].tolist() == X.tolist()
    assert found["y"].tolist() == Y.tolist()


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i4", "f4", "f8", "i8"])
@pytest.mark.parametrize("compress", [False, True])
def test_what_scipy_writes(tmp_path, dtype, compress):
    scipy_io = pytest.importorskip("scipy.io")
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    scipy_io.savemat(tmp_path / "a.mat", {"X": array, "words": "text", "y": Y}, do_compression=compress)
    found = read_mat(tmp_path / "a.mat", ("X", "y"), "")
    assert found["X"].tolist() == array.tolist()
    assert found["y"].tolist() == Y.tolist()


def test_the_other_byte_order(tmp_path):
    values = np.array([[1, 2, 3]], dtype=">i2")
    flags, sizes = struct.pack(">IIII", 6, 8, 10, 0), struct.pack(">IIii", 5, 8, 1, 3)
    matrix = flags + sizes + struct.pack(">HHc3x", 1, 1, b"X") + struct.pack(">II", 3, 6) + values.tobytes() + b"\0\0"
    content = b" " * 124 + struct.pack(">H", 0x0100) + b"MI" + struct.pack(">II", 14, len(matrix)) + matrix
    assert read(tmp_path / "a.mat", content, ("X",))["X"].tolist() == [[1, 2, 3]]


WHOLE = mat_bytes({"X": X}, compress=False)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a MAT file"),
        (b"\x89HDF\r\n" + WHOLE[6:126] + b"\0\0", "HDF5"),
        (WHOLE[:-20], "an element of .* bytes where"),
        (WHOLE[:130], "damaged or truncated"),
        (mat_bytes({"X": X})[:-20], "damaged or truncated"),
        (WHOLE[:128] + struct.pack("<II", 15, 11) + b"not deflated"[:11], "damaged or truncated"),
        (WHOLE.replace(struct.pack("<4i", *X.shape), struct.pack("<4i", 2, 3, 3, 6)), "take 108"),
        (WHOLE.replace(struct.pack("<4i", *X.shape), struct.pack("<4i", -2, 3, -3, 5)), "take 90"),
        (WHOLE.replace(struct.pack("<II", 9, 0), struct.pack("<II", 1, 0)), "not an array of real numbers"),
        (WHOLE[:128] + struct.pack("<II", 15, 8) + zlib.compress(b""), "array without content"),
        (mat_bytes({"Z": X}), "has no array X"),
    ],
)
def test_damage_names_the_file_and_the_fault(tmp_path, content, reason):
    with pytest.raises(DataError, match=reason) as caught:
        read(tmp_path / "a.mat", content, ("X",))
    assert caught.value.message.startswith(str(tmp_path / "a.mat"))
    assert caught.value.hint == "another file"


def test_every_cut_is_an_error_of_ours(tmp_path):
    content = mat_bytes({"X": X}, compress=False)
    for length in range(0, len(content) - 8):
        with pytest.raises(DataError):
            read(tmp_path / "a.mat", content[:length], ("X",))
