"""Times steps of several loops in turns."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch

LEAST_SECONDS = 0.3


class Seconds(NamedTuple):
    """Attributes:
    wall: Wall-clock time.
    cpu: CPU time of this process over all cores, including its other threads.
    """

    wall: float
    cpu: float


Contestant = Callable[[int], Seconds]  # Takes a number of steps and returns their duration.


class Stopwatch:
    """Starts when it is created, and synchronizes the device at both ends."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        synchronize(device)
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def read(self) -> Seconds:
        synchronize(self.device)
        return Seconds(time.perf_counter() - self.wall, time.process_time() - self.cpu)


def time_run(run: Callable[[int], None], device: torch.device, num_steps: int) -> Seconds:
    """The duration of `run(num_steps)`."""
    stopwatch = Stopwatch(device)
    run(num_steps)
    return stopwatch.read()


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def time_in_turns(
    contestants: Mapping[str, Contestant], rounds: int, seconds: float, least_seconds: float = LEAST_SECONDS
) -> tuple[int, dict[str, list[Seconds]]]:
    """Time the same number of steps of each in each round, in an order that is reversed from one round to the next.

    The order A B, B A, A B … makes a machine that gets warm or busy affect all of them equally.

    Args:
        contestants: By name.
        rounds: The number of times each is timed.
        seconds: The time of all rounds together.
        least_seconds: The minimum time of a round of the fastest.

    Returns:
        The number of steps in a round, and for each contestant the time of each round.
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
    """Warm up all contestants, and find the number of steps that fills the time."""
    paces = []
    for contestant in contestants.values():
        num_steps, taken = 2, contestant(2).wall
        while taken < least_seconds / 3:
            num_steps *= 2
            taken = contestant(num_steps).wall
        paces.append(taken / num_steps)
    return max(1, round(max(least_seconds / min(paces), seconds / (rounds * sum(paces)))))
