"""Runs trainings in separate processes, a few in parallel, each forked from a server that has imported torch."""

import contextlib
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, Protocol, TypeVar

from dltool.engine.signals import StopSignals
from dltool.search.assignment import Assignment
from dltool.search.carry_out import carry_out

POLL_SECONDS = 0.25
Label = TypeVar("Label")


class Display(Protocol):
    """The display of the progress."""

    def say(self, line: str) -> None: ...
    def refresh(self) -> None: ...


class Workers(Generic[Label]):
    """At most `count` processes at a time.

    The server is started first and imports `dltool.search.preload`. A process then starts immediately,
    where a new interpreter would import torch for two seconds. The server does nothing else, so forking it is safe.

    Args:
        count: Processes that may run in parallel.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        methods = multiprocessing.get_all_start_methods()
        self.context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        self.running: dict[int, tuple[Label, BaseProcess]] = {}  # By slot.

    @property
    def free_slot(self) -> int | None:
        return next((slot for slot in range(self.count) if slot not in self.running), None)

    def start(self, label: Label, assignment: Assignment, slot: int) -> None:
        """Begin a training in a new process."""
        process = self.context.Process(target=carry_out, args=(assignment,))
        process.start()
        self.running[slot] = (label, process)

    def run(
        self, begin: Callable[[int], bool], end: Callable[[Label, int], None], display: Display, promise: str
    ) -> int | None:
        """Keep every slot busy until nothing is left to do, or a signal asks to stop; wait for running processes.

        Args:
            begin: Starts the next process in a slot, if any; returns whether more may follow.
            end: Called with each ended process and its exit code: as a shell would give it, or minus the number
                of the signal that killed it.
            display: Refreshed regularly.
            promise: What the processes do on a signal, as text.

        Returns:
            The signal, SIGINT or SIGTERM, or None.
        """
        signals, more, passed_on = StopSignals(), True, False
        with signals, contextlib.closing(self):
            while (more and signals.received is None) or self.running:
                while more and signals.received is None and (slot := self.free_slot) is not None:
                    more = begin(slot)
                for label, exit_code in self.wait(POLL_SECONDS):
                    end(label, exit_code)
                display.refresh()
                if signals.received is not None and not passed_on:
                    display.say(f"stopping: {promise}")
                    self.signal(signals.received)
                    passed_on = True
        return signals.received

    def close(self) -> None:
        """Release what belongs to all trainings, after the last."""

    def wait(self, timeout: float) -> list[tuple[Label, int]]:
        """The processes that have ended, with their exit codes, after at most `timeout` seconds."""
        wait([process.sentinel for _, process in self.running.values()], timeout)
        ended = []
        for slot, (label, process) in list(self.running.items()):
            if process.exitcode is not None:
                process.join()
                del self.running[slot]
                ended.append((label, process.exitcode))
        return ended

    def signal(self, signum: int) -> None:
        """Send a signal to every running process."""
        for _, process in self.running.values():
            if process.pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signum)


def warm_up() -> None:
    """Let the server start importing the needed modules while the caller does other work."""
    if "forkserver" in multiprocessing.get_all_start_methods():
        from multiprocessing import forkserver

        forkserver.set_forkserver_preload(["dltool.search.preload"])
        forkserver.ensure_running()
