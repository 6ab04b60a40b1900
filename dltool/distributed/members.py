"""Starts the other processes of a training on this machine, watches them, and ends them."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import IO, Any

import torch.distributed as dist

from dltool.core.errors import ConfigError, DltoolError, RunError
from dltool.core.exit_code import INTERRUPTED
from dltool.core.process import python_command
from dltool.core.safe_path import SafePath
from dltool.distributed.team import Team, begin, reason

MEMBER = "dltool.distributed.member"
HOST = "127.0.0.1"
GRACE_SECONDS = 10.0  # In which rank 0 must notice that another process failed.
ENDING_SECONDS = 15.0  # For the other processes to end after the last exchange.


class Members:
    """The processes of rank 1 and above, started by that of rank 0.

    Each is a new Python that gets its work through its standard input, which stays open: its end tells the process that
    rank 0 has ended. They are in sessions of their own, so that Ctrl-C in a terminal reaches rank 0 only.

    Args:
        work: What each receives, for the ranks from 1 on; see dltool.distributed.member.
    """

    def __init__(self, work: Sequence[Any]) -> None:
        self.outputs: list[IO[bytes]] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        self.failed: list[int] = []  # Ranks, the first that failed first.
        self.is_handled = False
        self.folder: SafePath | None = None
        try:
            for content in work:
                output = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process)
                self.outputs.append(output)
                process = subprocess.Popen(
                    python_command(MEMBER),
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                self.processes.append(process)
                send(process, content)
        except OSError as error:
            self.kill()
            raise RunError(f"the process of rank {len(self.processes)} cannot be started: {error.strerror}") from error
        for rank, process in enumerate(self.processes, start=1):
            threading.Thread(target=self.watch, args=(rank, process), daemon=True).start()

    def watch(self, rank: int, process: "subprocess.Popen[bytes]") -> None:
        """Wait for a process; if it failed and rank 0 does not notice, as it waits on an accelerator, end rank 0."""
        code = process.wait()
        if code == 0 or code in INTERRUPTED:
            return
        self.failed.append(rank)
        time.sleep(GRACE_SECONDS)
        if not self.is_handled:
            print(self.error_of(self.failed[0]).report(), file=sys.stderr, flush=True)
            self.kill()
            os._exit(1)

    def explain(self, error: Exception) -> DltoolError:
        """The error of the process that failed first; if all are alive, ours or that of the exchange."""
        self.is_handled = True
        deadline = time.monotonic() + 3.0  # A connection ends before its process does.
        while not self.failed and time.monotonic() < deadline:
            time.sleep(0.02)
        if self.failed:
            return self.error_of(self.failed[0])
        if isinstance(error, DltoolError):
            return error
        return RunError(
            f"the processes of this training no longer answer: {reason(error)}",
            "trainer.timeout_minutes is how long they may wait for each other",
        )

    def error_of(self, rank: int) -> DltoolError:
        """What a failed process printed last, under its rank."""
        code = self.processes[rank - 1].returncode
        lines = self.output_of(rank).splitlines()
        message = next((line.removeprefix("error: ") for line in reversed(lines) if line.startswith("error: ")), "")
        hint = next((line.removeprefix("hint: ") for line in reversed(lines) if line.startswith("hint: ")), None)
        if not message:
            how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            message = f"its process was {how}" if code < 0 else f"its process {how}"
            hint = "the memory of this machine may be too small for several processes" if code == -9 else None
        kind = ConfigError if code == ConfigError.exit_code else RunError
        return kind(f"rank {rank}: {message}", hint)

    def output_of(self, rank: int) -> str:
        """Everything that a process printed."""
        output = self.outputs[rank - 1]
        output.seek(0)
        return output.read().decode(errors="replace")

    def keep_logs(self, folder: SafePath) -> None:
        """Write what the processes print to log.rankN.txt in a run folder, when they have ended."""
        self.folder = folder

    def wait(self, seconds: float) -> None:
        """Let the processes end by themselves; those that do not are killed."""
        self.is_handled = True
        deadline = time.monotonic() + seconds
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(deadline - time.monotonic(), 0.01))
        self.kill()

    def kill(self) -> None:
        """End every process now."""
        self.is_handled = True
        for process in self.processes:
            with contextlib.suppress(OSError):
                process.kill()
            with contextlib.suppress(OSError):
                if process.stdin is not None:
                    process.stdin.close()
            process.wait()
        if self.folder is not None:
            folder, self.folder = self.folder, None
            for rank in range(1, len(self.processes) + 1):
                with contextlib.suppress(OSError), (folder / f"log.rank{rank}.txt").append() as log:
                    log.write(self.output_of(rank).encode())


def send(process: "subprocess.Popen[bytes]", content: Any) -> None:
    """Give a process what it receives; see `received`."""
    assert process.stdin is not None
    with Connection(os.dup(process.stdin.fileno()), readable=False) as connection:
        connection.send(content)


def received() -> Any:
    """What rank 0, which started this process, sent."""
    with Connection(os.dup(sys.stdin.fileno()), writable=False) as connection:
        return connection.recv()


@dataclass(frozen=True)
class Seat:
    """The place of a process on this machine in a team, and the port where they meet, which only it reaches."""

    rank: int
    size: int
    port: int
    timeout: timedelta

    def join(self) -> Team:
        """The team of a process that rank 0 started. Raises as `begin`."""
        team = Team(self.rank, self.size, self.rank, self.size)
        store = dist.TCPStore(HOST, self.port, self.size, is_master=False, timeout=self.timeout, wait_for_workers=False)
        begin(team, self.timeout, store)
        return team


@contextlib.contextmanager
def led(size: int, timeout: timedelta, function: Callable[..., int], *arguments: Any) -> Iterator[Team]:
    """The team of rank 0 with the others, each of which calls `function(team, *arguments)` in a process of its own.

    They end with this context: by themselves, or killed after an error.

    Args:
        size: The number of processes.
        timeout: How long an exchange may wait.
        function: Of a module; returns the exit code.
        arguments: Picklable.

    Raises:
        ConfigError, RunError: A process cannot be started, or failed: its own error, under its rank.
    """
    store = dist.TCPStore(HOST, 0, size, is_master=True, timeout=timeout, wait_for_workers=False)  # At a free port.
    seats = [Seat(rank, size, store.port, timeout) for rank in range(1, size)]
    members = Members([(seat, function, arguments) for seat in seats])
    team = Team(0, size, 0, size, explain=members.explain, keep_logs=members.keep_logs)
    try:
        try:
            begin(team, timeout, store)
        except ConfigError as error:
            raise members.explain(error) from error
        yield team
        team.leave()
        members.wait(ENDING_SECONDS)
    finally:
        members.kill()
        if dist.is_initialized():  # This process, which may be a notebook, can begin another team later.
            with contextlib.suppress(RuntimeError):
                dist.destroy_process_group()


def end_with_rank_0() -> None:
    """End this process as soon as rank 0 ends for any reason, which closes our input."""

    def wait_for_end() -> None:
        while sys.stdin.buffer.read(1):
            pass
        os._exit(1)

    threading.Thread(target=wait_for_end, daemon=True).start()
