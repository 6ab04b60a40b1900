"""Reads pickles of numbers, texts, lists, dicts and arrays of bytes, and runs nothing of what they ask for.

A pickle is a program: it names functions and calls them. The three names that an array of numpy is written with are
answered by stand-ins of our own, so that not even numpy sees a stranger's numbers before they are checked; every other
name is refused.
"""

import io
import math
import pickle
from typing import Any

import numpy as np


class PickleError(ValueError):
    """The content is no pickle, is damaged, or asks for more than plain data."""


def load_plain(content: bytes) -> Any:
    """What was pickled; texts of Python 2 are bytes.

    Raises:
        PickleError: With the reason.
    """
    try:
        return unwrapped(PlainUnpickler(io.BytesIO(content), encoding="bytes").load())
    except PickleError:
        raise
    except Exception as error:  # What no pickle is can end anywhere in the unpickler.
        raise PickleError(f"damaged or truncated ({' '.join(str(error).split()) or type(error).__name__})") from error


def unwrapped(value: Any) -> Any:
    """A dict with its keys as texts and its arrays as those of numpy; what lies deeper stays as it is."""
    if not isinstance(value, dict):
        return value
    return {
        key.decode("ascii", "replace") if isinstance(key, bytes) else key: item.array()
        if isinstance(item, PickledArray)
        else item
        for key, item in value.items()
    }


class PlainUnpickler(pickle.Unpickler):
    """Knows three names."""

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in of a name that arrays need."""
        asked = f"{module}.{name}"
        if asked not in STAND_INS:
            raise PickleError(f"a pickle that asks for {asked}: it could run any code, and is not read")
        return STAND_INS[asked]

    def persistent_load(self, pid: Any) -> Any:
        raise PickleError("a pickle that refers to something outside of itself")


class PickledArray:
    """Stands for an array while it is unpickled: numpy makes an empty one, then hands it its state."""

    __slots__ = ("content", "shape")

    def __init__(self) -> None:
        self.shape: tuple[int, ...] | None = None
        self.content = b""

    def __setstate__(self, state: Any) -> None:
        """Take (version, shape, type, whether in Fortran's order, content), as ndarray.__reduce__ gives it."""
        _version, shape, kind, fortran, content = state
        sizes = isinstance(shape, tuple) and all(type(size) is int and size >= 0 for size in shape)
        if not sizes or not isinstance(kind, PickledType) or fortran or type(content) is not bytes:
            raise PickleError("an array that is not one of bytes in C's order")
        if math.prod(shape) != len(content):
            raise PickleError(f"an array of the shape {shape} with {len(content):,} bytes")
        self.shape, self.content = shape, content

    def array(self) -> np.ndarray:
        if self.shape is None:
            raise PickleError("an array without content")
        # A bytearray can be written to, as torch wants of memory that it shares.
        return np.frombuffer(bytearray(self.content), np.uint8).reshape(self.shape)


class PickledType:
    """Stands for the type of the items, an unsigned byte; its state says no more than that."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None: ...


class ArrayMaker:
    """Stands for numpy's _reconstruct(ndarray, (0,), b"b"). Without a dict: a pickle can set attributes, too."""

    __slots__ = ()

    def __call__(self, *_arguments: Any) -> PickledArray:
        return PickledArray()


class TypeMaker:
    """Stands for numpy.dtype("u1", …)."""

    __slots__ = ()

    def __call__(self, code: Any, *_flags: Any) -> PickledType:
        if code not in ("u1", b"u1"):
            raise PickleError(f"an array of the type {code!r}, not of bytes")
        return PickledType()


STAND_INS = {
    "numpy.core.multiarray._reconstruct": ArrayMaker(),
    "numpy._core.multiarray._reconstruct": ArrayMaker(),  # Since numpy 2.
    "numpy.ndarray": "numpy.ndarray",  # Only an argument of the above.
    "numpy.dtype": TypeMaker(),
}
