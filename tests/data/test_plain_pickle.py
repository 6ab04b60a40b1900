import os
import pickle

import numpy as np
import pytest
from synthetic_images import pickled, python2_pickle

from dltool.data.plain_pickle import PickleError, load_plain


def test_what_python_2_wrote():
    rows = np.arange(12, dtype=np.uint8).reshape(3, 4)
    found = load_plain(python2_pickle({"data": rows, "labels": [7, 8], "names": ["cat"]}))
    assert found["data"].tolist() == rows.tolist()
    assert found["data"].dtype == np.uint8
    assert found["data"].flags.writeable
    assert (found["labels"], found["names"]) == ([7, 8], [b"cat"])


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_what_this_python_and_numpy_write(protocol):
    content = pickle.dumps({"data": np.ones((2, 3), np.uint8), "labels": [1]}, protocol)
    if protocol == 5:  # In protocol 5 numpy hands its buffer over by another function, which no CIFAR file needs.
        with pytest.raises(PickleError, match="_frombuffer"):
            load_plain(content)
    else:
        assert load_plain(content)["data"].tolist() == [[1, 1, 1], [1, 1, 1]]


class Hostile:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "function", [os.system, eval, exec, __import__, getattr, print, np.load, np.array, np.frombuffer, pickle.loads]
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_hostile_pickle_is_refused_and_not_run(tmp_path, monkeypatch, function, protocol):
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps({"data": Hostile(function, "touch ran")}, protocol)
    with pytest.raises(PickleError, match=r"a pickle that refers to .*not loaded"):
        load_plain(content)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "module_name",
    ["numpy.core.multiarray\nscalar", "numpy\nload", "dltool.data.plain_pickle\nPickledArray", "numpy\ncore.os.system"],
)
def test_only_three_names_are_known(module_name):
    with pytest.raises(PickleError, match="a pickle that refers to"):
        load_plain(b"\x80\x02c" + module_name.encode() + b"\n.")


def test_a_pickle_cannot_change_the_stand_ins():
    """BUILD sets attributes of whatever is on the stack; what one file says must not reach the next."""
    for name in (b"numpy\ndtype", b"numpy.core.multiarray\n_reconstruct", b"numpy\nndarray"):
        for state in (b"}(U\x08__call__K\x01u", b"N}(U\x08__call__K\x01u\x86"):
            with pytest.raises(PickleError):
                load_plain(b"\x80\x02c" + name + b"\n" + state + b"b.")
    assert load_plain(python2_pickle({"data": np.ones((1, 1), np.uint8)}))["data"].tolist() == [[1]]


ARRAY = pickled(np.arange(6, dtype=np.uint8).reshape(2, 3))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (ARRAY.replace(b"u1", b"O8"), "type b'O8'"),
        (ARRAY.replace(b"u1", b"f8"), "type b'f8'"),
        (ARRAY.replace(b"J\x03", b"J\x09"), "shape .* with 6 bytes"),
        (ARRAY.replace(b"J\x03\x00\x00\x00", b"J\xfd\xff\xff\xff"), "not of bytes"),
        (ARRAY.replace(b"\x89", b"\x88"), "C order"),
        (b"cnumpy.core.multiarray\n_reconstruct\n)R", "without content"),
        (ARRAY[:-10], "damaged or truncated"),
        (b"P42\n", "refers to an external object"),
    ],
)
def test_what_is_no_array_of_bytes(content, reason):
    with pytest.raises(PickleError, match=reason):
        load_plain(b"\x80\x02}(U\x04data" + content + b"u.")


@pytest.mark.parametrize("content", [b"", b"\x80\x02", b"no pickle at all", b"\x80\x02r\xff\xff\xff\xff."])
def test_what_is_no_pickle(content):
    with pytest.raises(PickleError, match="damaged or truncated"):
        load_plain(content)
