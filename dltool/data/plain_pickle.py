"""Reads pickles of numbers, texts, lists, dicts and arrays of bytes, without running any code that they name.

A pickle is a program: it names functions and calls them. The three names of a pickled numpy array are replaced by
classes of this module, so that even numpy gets no untrusted numbers before they are checked; every other name is
refused.
"""

import io
import math
import pickle
from typing import Any

import numpy as np


class PickleError(ValueError):
    """The content is not a pickle, is damaged, or needs more than plain data."""


def load_plain(content: bytes) -> Any:
    """Load a pickled object; strings of Python 2 become bytes.

    Raises:
        PickleError: The content cannot be loaded; the message gives the reason.
    """
    try:
        return unwrapped(PlainUnpickler(io.BytesIO(content), encoding="bytes").load())
    except PickleError:
        raise
    except Exception as error:  # Content that is not a pickle can fail anywhere in the unpickler.
        raise PickleError(f"damaged or truncated ({' '.join(str(error).split()) or type(error).__name__})") from error


def unwrapped(value: Any) -> Any:
    """A dict with string keys and numpy arrays; nested values stay as they are."""
    if not isinstance(value, dict):
        return value
    return {
        key.decode("ascii", "replace") if isinstance(key, bytes) else key: item.array()
        if isinstance(item, PickledArray)
        else item
        for key, item in value.items()
    }


class PlainUnpickler(pickle.Unpickler):
    """Resolves only the names of STAND_INS."""

    def find_class(self, module: str, name: str) -> Any:
        """The replacement of a name that arrays need."""
        requested = f"{module}.{name}"
        if requested not in STAND_INS:
            raise PickleError(f"a pickle that refers to {requested}: it could run any code and is not loaded")
        return STAND_INS[requested]

    def persistent_load(self, pid: Any) -> Any:
        raise PickleError("a pickle that refers to an external object")


class PickledArray:
    """Replaces an array during unpickling: numpy creates an empty one, then sets its state."""

    __slots__ = ("content", "shape")

    def __init__(self) -> None:
        self.shape: tuple[int, ...] | None = None
        self.content = b""

    def __setstate__(self, state: Any) -> None:
        """Set (version, shape, type, Fortran order, content), as returned by ndarray.__reduce__."""
        _version, shape, kind, fortran, content = state
        sizes = isinstance(shape, tuple) and all(type(size) is int and size >= 0 for size in shape)
        if not sizes or not isinstance(kind, PickledType) or fortran or type(content) is not bytes:
            raise PickleError("an array that is not of bytes in C order")
        if math.prod(shape) != len(content):
            raise PickleError(f"an array of the shape {shape} with {len(content):,} bytes")
        self.shape, self.content = shape, content

    def array(self) -> np.ndarray:
        if self.shape is None:
            raise PickleError("an array without content")
        # A bytearray is writable, which torch requires of shared memory.
        return np.frombuffer(bytearray(self.content), np.uint8).reshape(self.shape)


class PickledType:
    """Replaces the dtype, an unsigned byte; its state has no further information."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None: ...


class ArrayMaker:
    """Replaces numpy's _reconstruct(ndarray, (0,), b"b"). Without a __dict__, as a pickle can also set attributes."""

    __slots__ = ()

    def __call__(self, *_arguments: Any) -> PickledArray:
        return PickledArray()


class TypeMaker:
    """Replaces numpy.dtype("u1", …)."""

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
