"""Reads arrays of numbers from MAT files of level 5, which MATLAB has written since its version 5.

Format (The MathWorks, "MAT-File Format", chapter 1): 128 bytes of header, then elements. An element is a tag, its type
and number of bytes as two 32-bit integers, and the bytes, padded to a multiple of 8; one of at most 4 bytes has its tag
and content in 8 bytes. An array is an element of elements: flags (its class), sizes, name, values; the values may be of
a smaller type than the class, and the first dimension is the fastest. A compressed element is an array deflated by
zlib.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dltool.core.errors import DataError
from dltool.data.contents import note_file

HEADER = 128
MATRIX, COMPRESSED = 14, 15
DOUBLE_CLASS, UINT64_CLASS = 6, 15  # The classes of real numbers are between them.
COMPLEX = 0x08  # Among the flags.
TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}


class FormatError(ValueError):
    """The bytes do not follow the format."""


@dataclass(frozen=True)
class Element:
    """A part of the file.

    Attributes:
        type: Its number in the format.
        content: Its bytes, without tag and padding.
    """

    type: int
    content: memoryview


def read_mat(path: Path, wanted: tuple[str, ...], hint: str) -> dict[str, np.ndarray]:
    """Read some of a file's arrays.

    Args:
        path: The file.
        wanted: Names of the requested arrays; others are skipped.
        hint: What to do about a damaged file.

    Returns:
        Each array in its shape and stored type, with the first dimension the fastest in memory.

    Raises:
        DataError: The file is damaged, is not a MAT file of level 5, or lacks a requested array.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    note_file(path, content)
    found: dict[str, np.ndarray] = {}
    try:
        order = byte_order(content)
        for element in elements(memoryview(content)[HEADER:], order):
            if element.type == COMPRESSED:
                element = next(elements(memoryview(zlib.decompress(element.content)), order))
            if element.type == MATRIX:
                found.update(read_array(element.content, order, wanted))
    except (ValueError, zlib.error, StopIteration, struct.error) as error:
        raise DataError(f"{path}: damaged or truncated ({str(error) or 'an array without content'})", hint) from error
    if missing := [name for name in wanted if name not in found]:
        raise DataError(f"{path}: has no array {missing[0]}", hint)
    return found


def byte_order(content: bytes) -> str:
    """ "<" or ">", from the last two bytes of the header."""
    mark = content[HEADER - 2 : HEADER]
    if mark not in (b"IM", b"MI"):
        what = "an HDF5 file, as MATLAB's 7.3" if content[:4] == b"\x89HDF" else "not a MAT file of level 5"
        raise FormatError(what)
    return "<" if mark == b"IM" else ">"


def elements(content: memoryview, order: str) -> Iterator[Element]:
    """The consecutive elements in `content`."""
    start = 0
    while start < len(content):
        kind, size = struct.unpack_from(f"{order}II", content, start)
        begin = start + 8
        if kind >> 16:  # The small form: the number of bytes is in the upper half of the type.
            kind, size, begin = kind & 0xFFFF, kind >> 16, start + 4
        if size > len(content) - begin or (begin == start + 4 and size > 4):
            raise FormatError(f"an element of {size:,} bytes where {len(content) - begin:,} are left")
        yield Element(kind, content[begin : begin + size])
        padded = size if kind == COMPRESSED else size + -size % 8  # Compressed elements are not padded.
        start = begin + (4 if begin == start + 4 else padded)


def read_array(content: memoryview, order: str, wanted: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The array of an element, by its name; empty if that is not requested."""
    parts = elements(content, order)
    flags, sizes, name = next(parts), next(parts), next(parts)
    key = bytes(name.content).decode("ascii", "replace")
    if key not in wanted:
        return {}
    (bits,) = struct.unpack_from(f"{order}I", flags.content)
    if not DOUBLE_CLASS <= bits & 0xFF <= UINT64_CLASS or (bits >> 8) & COMPLEX:
        raise FormatError(f"{key} is not an array of real numbers")
    shape = np.frombuffer(sizes.content, f"{order}i4").tolist()
    values = next(parts)
    if values.type not in TYPES:
        raise FormatError(f"{key} has values of the unknown type {values.type}")
    dtype = np.dtype(order + TYPES[values.type])
    expected = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if min(shape, default=-1) < 0 or len(values.content) != expected:
        sides = " × ".join(map(str, shape))
        raise FormatError(f"{key} has {len(values.content):,} bytes where {sides} take {expected:,}")
    return {key: np.frombuffer(values.content, dtype).reshape(shape, order="F")}
