"""SIGINT and SIGTERM: the first asks the training to stop after this step, the second ends it at once."""

import os
import signal
from types import FrameType
from typing import Any

from dltool.core.stop_request import STOP


class Interrupted(Exception):
    """A signal asked the training to stop; the step reached is saved.

    Attributes:
        exit_code: 130 for SIGINT, 143 for SIGTERM.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.exit_code = 128 + signum


class StopSignals:
    """Handles the two signals while the `with` block runs; the handler only records which one came."""

    def __init__(self) -> None:
        self.received: int | None = None
        self.previous: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        STOP.received = self.received is not None
        for signum in (signal.SIGINT, signal.SIGTERM):
            try:
                self.previous[signum] = signal.signal(signum, self.handle)
            except ValueError:  # Not the main thread, as in some notebooks: signals cannot be handled.
                break
        return self

    def __exit__(self, *_: object) -> None:
        for signum, handler in self.previous.items():
            signal.signal(signum, handler)
        STOP.received = False

    def handle(self, signum: int, _: FrameType | None) -> None:
        if self.received is not None:
            os.write(2, b"\x1b[?25h\n" if os.isatty(2) else b"\n")  # The progress bar hid the cursor.
            os._exit(128 + signum)
        self.received = signum
        STOP.received = True

    def raise_if_received(self) -> None:
        if self.received is not None:
            raise Interrupted(self.received)
