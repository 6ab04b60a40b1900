"""The running means of a pass: cheap to add to at each step, exact whenever they are read."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from dltool.metrics.mean import Mean

MAX_WAITING = 256
NOTHING = Mean(0.0, 0)


class RunningMeans:
    """Adds up what the steps of a pass log, later than they log it.

    A step's parts are only put into a list, and added up where somebody asks for their sum: a whole column of scalars
    with one transfer from their device. That spares each step some tensor operations (30 µs of 500 on the CPU) and,
    on an accelerator, their launches.

    When it happens changes no bit: the numbers are added as Python floats, one after the other in the order of the
    steps, and (s + a) + b is the same whether a was added now or long ago. So a training that was stopped and
    resumed logs what an uninterrupted one does, and another thread may read at any moment.
    """

    def __init__(self) -> None:
        # The sums and the parts that they lack; replaced as one, so that no reader sees a part twice or not at all.
        self._state: tuple[dict[str, Mean], list[Mapping[str, Mean]]] = ({}, [])
        self._window_start: dict[str, Mean] = {}

    def add(self, parts: Mapping[str, Mean]) -> None:
        """Take note of one step's parts, whose tensors nobody may write to any more."""
        waiting = self._state[1]
        waiting.append(parts)
        if len(waiting) == MAX_WAITING:
            self.fold()

    def fold(self) -> dict[str, Mean]:
        """Add up what is waiting, and return the sums; for the thread that adds only."""
        sums = add_up(*self._state)
        self._state = (sums, [])
        return sums

    def values(self) -> dict[str, float]:
        """Each mean so far. Changes nothing, so that any thread may ask."""
        sums, waiting = self._state
        return {name: mean.value() for name, mean in add_up(sums, waiting.copy()).items()}

    def window(self) -> dict[str, float]:
        """Each mean since the last call, or since the beginning of the pass."""
        sums, start = self.fold(), self._window_start
        self._window_start = sums
        window = {name: mean.since(start[name]) if name in start else mean for name, mean in sums.items()}
        return {name: mean.value() for name, mean in window.items()}

    def clear(self) -> None:
        """Begin a new pass."""
        self._state, self._window_start = ({}, []), {}

    def state_dict(self) -> dict[str, Any]:
        sums = self.fold()
        return {
            "sums": {name: tuple(mean) for name, mean in sums.items()},
            "window_start": {name: tuple(mean) for name, mean in self._window_start.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._state = ({name: Mean(*pair) for name, pair in state["sums"].items()}, [])
        self._window_start = {name: Mean(*pair) for name, pair in state["window_start"].items()}


def add_up(sums: Mapping[str, Mean], waiting: list[Mapping[str, Mean]]) -> dict[str, Mean]:
    """The sums with all waiting parts added, as Python floats."""
    added = dict(sums)
    for name in dict.fromkeys(name for parts in waiting for name in parts):
        column = [parts[name] for parts in waiting if name in parts]
        total = sums.get(name, NOTHING)
        for _, alike in groupby(column, key=type):  # Small batches' parts may be kept otherwise than large ones'.
            part, *more = alike
            total = part.add_all(total, [part, *more])
        added[name] = total
    return added
