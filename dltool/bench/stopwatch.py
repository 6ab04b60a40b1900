"""Times steps of several loops in turns."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch

LEAST_SECONDS = 0.3


class Seconds(NamedTuple):
    """Attributes:
    wall: On the clock.
    cpu: Of all cores that this process used, its other threads included.
    """

    wall: float
    cpu: float


Contestant = Callable[[int], Seconds]  # Takes so many steps and says how long they took.


class Stopwatch:
    """Starts when it is made, and waits for the device at both ends."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        synchronize(device)
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def read(self) -> Seconds:
        synchronize(self.device)
        return Seconds(time.perf_counter() - self.wall, time.process_time() - self.cpu)


def time_run(run: Callable[[int], None], device: torch.device, num_steps: int) -> Seconds:
    """How long `run(num_steps)` takes."""
    stopwatch = Stopwatch(device)
    run(num_steps)
    return stopwatch.read()


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def time_in_turns(
    contestants: Mapping[str, Contestant], rounds: int, seconds: float, least_seconds: float = LEAST_SECONDS
) -> tuple[int, dict[str, list[Seconds]]]:
    """Let each take the same number of steps in each round, the order turned round from one to the next.

    So A B, B A, A B …: what a machine does in the meantime, getting warm or busy, meets all alike.

    Args:
        contestants: By name.
        rounds: How often each is timed.
        seconds: For all rounds together.
        least_seconds: That a round of the fastest takes at least.

    Returns:
        Steps in a round, and for each contestant the time of each round.
    """
    num_steps = choose_num_steps(contestants, rounds, seconds, least_seconds)
    timings: dict[str, list[Seconds]] = {name: [] for name in contestants}
    names = list(contestants)
    for _ in range(rounds):
        for name in names:
            timings[name].append(contestants[name](num_steps))
        names.reverse()
    return num_steps, timings


def choose_num_steps(contestants: Mapping[str, Contestant], rounds: int, seconds: float, least_seconds: float) -> int:
    """Warm everybody up, and find how many steps fill the time."""
    paces = []
    for contestant in contestants.values():
        num_steps, taken = 2, contestant(2).wall
        while taken < least_seconds / 3:
            num_steps *= 2
            taken = contestant(num_steps).wall
        paces.append(taken / num_steps)
    return max(1, round(max(least_seconds / min(paces), seconds / (rounds * sum(paces)))))
