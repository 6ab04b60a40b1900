"""Reads IDX files, the format of MNIST and its successors.

Format (Y. LeCun, "The MNIST database"): two zero bytes, the type of the items (8: unsigned byte), the
number of dimensions; each dimension as a big-endian 32-bit integer; then the items, last dimension fastest.
"""

import gzip
import io
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from dltool.core.errors import DataError
from dltool.data.contents import note_file

UNSIGNED_BYTE = 8
MAX_BYTES = 600 * 2**20  # EMNIST by class, the largest, has 547 MB.
AGAIN = "delete the file and run with data.download=true, or put a complete one there"


def find_idx(folder: Path, name: str) -> Path:
    """The file itself, or its gzipped version; the former saves 0.3 s of decompression.

    Raises:
        DataError: Neither exists.
    """
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise DataError(
        f"no file {folder / name} (nor {name}.gz)", hint="data.root=FOLDER, or data.download=true to fetch it"
    )


def has_idx(folder: Path, name: str) -> bool:
    return (folder / name).is_file() or (folder / f"{name}.gz").is_file()


def read_idx(path: Path, num_dims: int) -> np.ndarray:
    """Read a file of unsigned bytes, gzipped if its name ends in ".gz".

    Args:
        path: The file.
        num_dims: Required number of dimensions: 3 for images, 1 for labels.

    Returns:
        uint8, of the shape that the file states.

    Raises:
        DataError: The file is damaged, truncated or too long, or holds something else.
    """
    path = path.resolve()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    return parse_idx(content, path, num_dims)


def unzipped(content: bytes) -> bytes:
    """The unzipped content, and at most a byte more than its header states: a bomb of 4 MB would become 4 GB.

    Raises:
        EOFError, zlib.error, gzip.BadGzipFile: It is damaged.
    """
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
        head = stream.read(4)
        dims = stream.read(4 * head[-1] if len(head) == 4 else 0)
        sizes = struct.unpack(f">{len(dims) // 4}I", dims[: len(dims) // 4 * 4])
        return head + dims + stream.read(min(math.prod(sizes), MAX_BYTES) + 1)


def parse_idx(content: bytes, path: Path, num_dims: int) -> np.ndarray:
    """Parse the content of a file; `path` is its name."""
    try:
        content = unzipped(content) if path.suffix == ".gz" else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: damaged or truncated ({error})", hint=AGAIN) from error
    note_file(path, content)
    magic = bytes((0, 0, UNSIGNED_BYTE, num_dims))
    if content[:4] != magic:
        raise DataError(f"{path}: starts with {content[:4].hex() or 'nothing'}, not with the IDX number {magic.hex()}")
    start = 4 + 4 * num_dims
    if len(content) < start:
        raise DataError(f"{path}: truncated within its header", hint=AGAIN)
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", num_dims, offset=4))
    expected = start + int(np.prod(shape, dtype=object))
    if len(content) != expected:
        fault = "truncated" if len(content) < expected else "too long"
        raise DataError(
            f"{path}: {fault}: {len(content):,} bytes where {' × '.join(map(str, shape))} items take {expected:,}",
            hint=AGAIN,
        )
    # A bytearray is writable, which torch requires of shared memory.
    return np.frombuffer(bytearray(content), np.uint8, offset=start).reshape(shape)
