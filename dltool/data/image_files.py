"""Image files that are decoded by worker processes, in the requested order."""

import contextlib
import functools
import math
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dltool.data.decoding import UNCHANGED, Adjustment, Fit, decode, explain, upright_size
from dltool.data.decoding_workers import PIECE_BYTES, Failures, WorkerPool

if TYPE_CHECKING:
    from PIL.Image import Image

FAINT = 65_536 // 8  # Less is fewer than 32 of 256 levels: 10 or 12 bits in files of 16.
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"})
PROBED = 64
TIMEOUT = 300.0  # Seconds.
WORTH_WORKERS = 256  # Decoding fewer images takes less time than starting workers.


@dataclass(frozen=True)
class ImageFiles:
    """Image files below a root, by index.

    Attributes:
        paths: Relative to the root, or absolute.
        channels: 3 or 1.
        notes: Messages for the user about other files found.
    """

    root: Path
    paths: list[str] = field(repr=False)
    channels: int
    notes: list[str] = field(default_factory=list)

    def path(self, row: int) -> str:
        return os.path.join(self.root, self.paths[row])  # noqa: PTH118 (once an image; a Path takes 4 times as long)

    @functools.cached_property
    def sizes(self) -> frozenset[tuple[int, int]]:
        """The upright heights and widths of an even sample of the files; damaged ones are ignored."""
        from PIL import Image

        sizes = set()
        for row in range(0, len(self.paths), math.ceil(len(self.paths) / PROBED)):
            try:
                with Image.open(self.path(row)) as image:
                    sizes.add(upright_size(image))
            except Exception:  # PIL raises many types; decoding will name the file.
                continue
        return frozenset(sizes)

    def common_size(self) -> tuple[int, int] | None:
        """Upright height and width, if an even sample of the files all have the same."""
        return next(iter(self.sizes)) if len(self.sizes) == 1 else None

    def animated(self) -> int:
        """The number of files with several frames in an even sample of the GIF and WebP files."""
        from PIL import Image

        rows = [row for row, path in enumerate(self.paths) if path.lower().endswith((".gif", ".webp"))]
        count = 0
        for row in rows[:: max(1, math.ceil(len(rows) / PROBED))]:
            with contextlib.suppress(Exception), Image.open(self.path(row)) as image:
                count += frames(image) > 1
        return count

    def largest_of_16_bits(self) -> int:
        """The largest value in an even sample of the files with 16 bits, of 65,535; 0 without such files."""
        from PIL import Image

        largest = 0
        for row in range(0, len(self.paths), math.ceil(len(self.paths) / PROBED)):
            with contextlib.suppress(Exception), Image.open(self.path(row)) as image:
                if image.mode.startswith("I"):
                    largest = max(largest, int(np.asarray(image).max()))
        return largest


@dataclass(frozen=True)
class Decoder:
    """Decodes files to one size, in this process or in workers.

    Workers are processes, which leave the GIL to the training. They use PIL, not torchvision's decoder, which needs
    less time for small JPEGs but is deprecated since torchvision 0.29.

    Attributes:
        size: Height and width.
        workers: Processes; 0 decodes in this one.
        adjustment: Changes for predictions.
        timeout: Seconds after which a worker that does not answer ends the training.
    """

    files: ImageFiles
    size: tuple[int, int]
    fit: Fit
    workers: int
    adjustment: Adjustment = UNCHANGED
    timeout: float = TIMEOUT

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.files.channels, *self.size

    @property
    def image_bytes(self) -> int:
        return math.prod(self.shape)

    def decode_into(self, images: np.ndarray, rows: list[int]) -> Failures:
        """Decode some files.

        Args:
            images: Filled, uint8 `(B, C, H, W)`; with 0 where a file cannot be decoded.
            rows: Their indices.

        Returns:
            The positions of those that cannot be decoded, with the reasons.
        """
        failures = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PIL's, about palettes with transparency in bytes, or very many pixels.
            for place, row in enumerate(rows):
                path = self.files.path(row)
                try:
                    images[place] = decode(path, self.files.channels, self.size, self.fit, self.adjustment)
                except Exception as error:  # PIL raises many types for a damaged file.
                    images[place] = 0
                    failures.append((place, explain(path, error)))
        return failures

    def stream(self, batches: Iterable[list[int]]) -> Iterator[tuple[Tensor, Failures]]:
        """Decode batches in order; workers, if there are any, work ahead.

        Yields:
            uint8 `(B, C, H, W)`, and the failures; see decode_into.

        Raises:
            WorkerError: See WorkerPool.decode.
        """
        if self.workers == 0:
            for rows in batches:
                images = np.empty((len(rows), *self.shape), dtype=np.uint8)
                failures = self.decode_into(images, rows)
                yield torch.from_numpy(images), failures
            return
        pool = WorkerPool(self.decode_into, self.shape, self.workers, self.timeout)
        try:
            for images, failures in pool.decode(batches):
                yield torch.from_numpy(images), failures
        finally:
            pool.close()

    def decode_all(self, rows: Tensor) -> tuple[Tensor, dict[int, str]]:
        """Decode files into one tensor.

        Args:
            rows: Their indices, int64 `(N,)`.

        Returns:
            uint8 `(N, C, H, W)`, and the position of each file that could not be decoded, with the reason.
        """
        images = torch.empty((len(rows), self.files.channels, *self.size), dtype=torch.uint8)
        reasons, start = {}, 0
        for chunk, failures in self.stream(chunk_rows(rows, max(1, min(256, PIECE_BYTES // self.image_bytes)))):
            images[start : start + len(chunk)] = chunk
            reasons.update({start + place: reason for place, reason in failures})
            start += len(chunk)
        return images, reasons


def frames(image: "Image") -> int:
    """The number of frames of an opened file; other pictures in a photograph, such as a map of depths, do not count."""
    return 1 if image.format in ("JPEG", "MPO") else getattr(image, "n_frames", 1)


def chunk_rows(rows: Tensor, size: int) -> list[list[int]]:
    return [chunk.tolist() for chunk in rows.split(size)]


def choose_workers(workers: int | str, files: ImageFiles) -> int:
    """The number of workers; "auto" is one for each core available to this process, and 0 for few images."""
    if isinstance(workers, int):
        return workers
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, 16) if len(files.paths) >= WORTH_WORKERS else 0


def is_hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")
