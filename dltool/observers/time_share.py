"""Limits what an observer repeats to a share of the training's time."""

import contextlib
import time
from collections.abc import Iterator


class TimeShare:
    """Says when work may be done again: after `seconds / share` if the last time took so many seconds.

    Args:
        share: Of the time that passes, above 0.
        pause: Seconds between the end of one time and the begin of the next, at least.
    """

    def __init__(self, share: float, pause: float = 0.0) -> None:
        self.share = share
        self.pause = pause
        self._next = 0.0

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._next

    @contextlib.contextmanager
    def spent(self) -> Iterator[None]:
        """Around the work."""
        began = time.monotonic()
        try:
            yield
        finally:
            ended = time.monotonic()
            self._next = ended + max(self.pause, (ended - began) / self.share)
