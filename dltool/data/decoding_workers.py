"""Worker processes that decode image files into memory that the training has shared with them.

torch's DataLoader is not used: it passes file descriptors in a handshake with the worker, in which the training waits
without a limit for a worker that is stopped, and in which a signal does not end it. Here a worker sends only short
messages, each of which the system passes on whole; the training waits for them with a limit, and nothing that happens
to a worker can stop it elsewhere.
"""

import contextlib
import math
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from ctypes import Array, c_uint8
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, cast

import numpy as np

from dltool.core.errors import WorkerError
from dltool.core.exit_code import describe_exit
from dltool.core.shell import setting
from dltool.core.stop_request import STOP

Failures = list[tuple[int, str]]  # Position in the batch, and the reason why that file could not be decoded.
# Fills images, uint8 `(B, C, H, W)`, from the files of some indices.
DecodeInto = Callable[[np.ndarray, list[int]], Failures]

PIECE_BYTES = 2**22  # Of pixels that a worker decodes at a time.
PIECE_IMAGES = 256  # With more, a message might exceed ATOMIC_BYTES.
SLOTS = 4  # Pieces that a worker has: one being decoded, others waiting to be decoded or to be fetched.
REASON_LETTERS = 800  # So that a message, of up to 4 bytes a letter, is below the 4,096 bytes that a pipe takes whole.
POLL_SECONDS = 0.25
PARENT_POLL_SECONDS = 5.0  # How soon a worker ends whose training was killed.
GRACE_SECONDS = 1.0  # After a signal, before a piece is decoded here instead of waited for.
STATES = {"T": "it is stopped (SIGSTOP)", "t": "a debugger has stopped it", "D": "it waits for a disk or a network"}


@dataclass
class Piece:
    """Part of a batch that one worker decodes.

    Attributes:
        rows: Indices of the files.
        start: Its position in the batch.
        slot: Its place in the memory of its worker.
        failures: Those reported so far, with positions in the piece.
    """

    rows: list[int]
    start: int
    worker: "Worker"
    slot: int
    failures: Failures = field(default_factory=list)
    done: bool = False


@dataclass
class Worker:
    """A process as the training sees it.

    Attributes:
        memory: SLOTS pieces of pixels.
        free: The slots that no piece occupies.
        busy: Slot to the piece in it.
    """

    process: BaseProcess
    tasks: Connection
    replies: Connection
    memory: np.ndarray
    free: list[int] = field(default_factory=lambda: list(range(SLOTS)))
    busy: dict[int, Piece] = field(default_factory=dict)

    def receive(self) -> None:
        """Take every message that has arrived."""
        with contextlib.suppress(EOFError, OSError):  # Of a process that ended.
            while self.replies.poll():
                slot, place, reason = self.replies.recv()
                piece = self.busy[slot]
                if reason is None:
                    piece.done = True
                else:
                    piece.failures.append((place, reason))

    def release(self, piece: Piece) -> None:
        del self.busy[piece.slot]
        self.free.append(piece.slot)


class WorkerPool:
    """Workers that decode pieces of batches, in any order; `decode` gives the batches in theirs.

    Args:
        decode_into: Decodes; forked or sent to each worker.
        shape: Of an image, `(C, H, W)`.
        count: Workers, at least 1.
        timeout: Seconds to wait for a piece.
    """

    def __init__(self, decode_into: DecodeInto, shape: tuple[int, int, int], count: int, timeout: float) -> None:
        self.decode_into = decode_into
        self.shape = shape
        self.timeout = timeout
        self.piece_size = max(1, min(PIECE_IMAGES, PIECE_BYTES // math.prod(shape)))
        context = multiprocessing.get_context(start_method())
        self.workers: list[Worker] = []
        # Called by close, when the pool is garbage, and when the process ends, also in the jobs of a sweep; before
        # multiprocessing terminates the workers (at priority 0) and waits for each, which a stopped one would not obey.
        self.close = Finalize(self, end, (self.workers,), exitpriority=20)
        for _ in range(count):
            self.workers.append(self._start(context))

    def _start(self, context: Any) -> Worker:
        memory = context.RawArray(c_uint8, SLOTS * self.piece_size * math.prod(self.shape))
        theirs, tasks = context.Pipe(duplex=False)
        replies, own = context.Pipe(duplex=False)
        arguments = (self.decode_into, memory, self._slots_shape, theirs, own, os.getpid())
        process = context.Process(target=serve, args=arguments, daemon=True)
        process.start()
        theirs.close()
        own.close()
        return Worker(process, tasks, replies, as_slots(memory, self._slots_shape))

    @property
    def _slots_shape(self) -> tuple[int, ...]:
        return SLOTS, self.piece_size, *self.shape

    def decode(self, batches: Iterable[list[int]]) -> Iterator[tuple[np.ndarray, Failures]]:
        """Decode batches of indices of files, in order and ahead of the caller.

        Yields:
            uint8 `(B, C, H, W)` of each batch, and its failures.

        Raises:
            WorkerError: A worker ended, or did not answer within the timeout.
        """
        waiting = ((rows, start) for rows in batches for start in range(0, max(len(rows), 1), self.piece_size))
        pieces: deque[tuple[Piece, int]] = deque()
        while True:
            self._hand_out(waiting, pieces)
            if not pieces:
                return
            size = pieces[0][1]
            images = np.empty((size, *self.shape), dtype=np.uint8)
            failures: Failures = []
            position = 0
            while position < size or size == 0:
                piece = pieces.popleft()[0]
                failures += self._fetch(piece, images[position : position + len(piece.rows)])
                position += len(piece.rows)
                if size == 0:
                    break
                self._hand_out(waiting, pieces)
            yield images, failures

    def _hand_out(self, waiting: Iterator[tuple[list[int], int]], pieces: deque[tuple[Piece, int]]) -> None:
        """Give the next pieces to the workers that have the most room."""
        while (worker := max(self.workers, key=lambda worker: len(worker.free))).free:
            if (following := next(waiting, None)) is None:
                return
            rows, start = following
            piece = Piece(rows[start : start + self.piece_size], start, worker, worker.free.pop())
            worker.busy[piece.slot] = piece
            with contextlib.suppress(OSError):  # It ended, which the wait for the piece reports.
                worker.tasks.send((piece.slot, piece.rows))
            pieces.append((piece, len(rows)))

    def _fetch(self, piece: Piece, images: np.ndarray) -> Failures:
        """Wait for a piece and copy it; if a signal came meanwhile, and it is late, decode it here."""
        worker, began = piece.worker, time.monotonic()
        worker.receive()
        while not piece.done:
            waited = time.monotonic() - began
            if STOP.received and waited > GRACE_SECONDS:
                failures = self.decode_into(images, piece.rows)
                return [(piece.start + place, reason) for place, reason in failures]
            if waited > self.timeout:
                raise self._late(worker.process)
            ready = wait([worker.replies, *(other.process.sentinel for other in self.workers)], POLL_SECONDS)
            worker.receive()
            for other in self.workers:
                if not piece.done and other.process.sentinel in ready:
                    raise self._dead(other.process)
        images[:] = worker.memory[piece.slot, : len(piece.rows)]
        worker.release(piece)
        return [(piece.start + place, reason) for place, reason in piece.failures]

    def _dead(self, process: BaseProcess) -> WorkerError:
        process.join(1.0)
        code = process.exitcode or 0
        verb, fewer = ("was ", len(self.workers) // 2) if code < 0 else ("", 0)
        return WorkerError(
            f"the data worker with process id {process.pid} {verb}{describe_exit(code)}",
            f"{setting('data.workers', fewer)} needs less memory"
            if fewer
            else "data.workers=0 decodes without workers",
        )

    def _late(self, process: BaseProcess) -> WorkerError:
        reason = STATES.get(process_state(process.pid), "it is still decoding")
        return WorkerError(
            f"the data worker with process id {process.pid} has not answered for {self.timeout:g} s (data.timeout): "
            f"{reason}",
            "data.workers=0 decodes without workers; data.timeout=SECONDS waits longer",
        )


def end(workers: list[Worker]) -> None:
    """End processes at once, stopped ones too; they have nothing to save."""
    for worker in workers:
        worker.process.kill()
    for worker in workers:
        worker.process.join(1.0)
        worker.tasks.close()
        worker.replies.close()
    workers.clear()


def serve(
    decode_into: DecodeInto,
    memory: "Array[c_uint8]",
    slots_shape: tuple[int, ...],
    tasks: Connection,
    replies: Connection,
    parent: int,
) -> None:
    """What a worker does: decode pieces into its memory until the training ends."""
    leave_signals_to_the_main_process()
    slots = as_slots(memory, slots_shape)
    with contextlib.suppress(EOFError, OSError):  # The training ended.
        while os.getppid() == parent:
            if not tasks.poll(PARENT_POLL_SECONDS):
                continue
            slot, rows = tasks.recv()
            for place, reason in decode_into(slots[slot, : len(rows)], rows):
                replies.send((slot, place, reason[:REASON_LETTERS]))
            replies.send((slot, 0, None))


def as_slots(memory: "Array[c_uint8]", shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(cast("Any", memory), dtype=np.uint8).reshape(shape)


def process_state(pid: int | None) -> str:
    """The letter of a process's state as `ps` shows it; empty where the system has no /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def start_method() -> str | None:
    """How workers start; None is Python's default.

    On Linux they are forked. In a job of a sweep, which is forked by a server, the default is to start another server,
    and each worker would import torch again.
    """
    return "fork" if sys.platform == "linux" else None


def leave_signals_to_the_main_process() -> None:
    """Ctrl-C reaches every process of the shell's job, but the training still needs the workers to finish its step."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
