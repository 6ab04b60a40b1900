"""Work that took so many seconds is due again when the share of the time that passed allows it."""

import contextlib

import pytest

from dltool.observers import time_share
from dltool.observers.time_share import TimeShare


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize(("pause", "next_time"), [(0.0, 150.0), (80.0, 180.0)])
def test_it_is_due_after_its_share(pause: float, next_time: float, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(time_share, "time", clock)
    share = TimeShare(0.02, pause)
    assert share.is_due
    clock.now = 99.0
    with contextlib.suppress(OSError), share.spent():
        clock.now += 1
        raise OSError  # A failure counts as well.
    for clock.now, due in ((next_time - 0.1, False), (next_time, True)):
        assert share.is_due == due
