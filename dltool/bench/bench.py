"""The speed of dltool's training compared with a hand-written loop: in one process, in turns, medians of rounds."""

import copy
import os
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dltool.bench.bare_loop import BareLoop, bare_loop_beside, has_bare_loop
from dltool.bench.dltool_loop import LEFT_OUT, DltoolLoop
from dltool.bench.peers import build_peers
from dltool.bench.start import measure_starts
from dltool.bench.stopwatch import LEAST_SECONDS, Contestant, Seconds, time_in_turns, time_run
from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.core.randomness import seed_default_generators, step_seed
from dltool.engine.device import describe_device
from dltool.engine.pieces import Pieces
from dltool.engine.trainer import Trainer
from dltool.optim.schedule import Schedule

DLTOOL, HAND_WRITTEN = "dltool", "hand-written"
NUM_CHECKED_STEPS = 10
# Kernels that add in no fixed order give different last digits, and ten steps amplify the differences.
TOLERANCE = {"cpu": 1e-6}
OTHER_TOLERANCE = 1e-3


def bench(
    config: Config,
    *,
    rounds: int = 5,
    seconds: float = 10.0,
    with_peers: bool = False,
    num_starts: int = 3,
    least_seconds: float = LEAST_SECONDS,
) -> dict[str, Any]:
    """Measure the configured training.

    Args:
        config: The config of the training; its length does not matter.
        rounds: The number of times each loop is timed.
        seconds: The time of all rounds together.
        with_peers: Also measure common alternatives, if they are installed.
        num_starts: The number of times a training is started in its own process.
        least_seconds: The minimum time of a round, also if `seconds` is smaller.

    Returns:
        What `dltool bench --json` prints, see its help.

    Raises:
        ConfigError, DataError: As in a training.
    """
    starts = measure_starts(config, num_starts)
    parts = prepare(config)
    contestants: dict[str, Contestant] = {}
    missing: dict[str, str] = {}
    same = None
    with tempfile.TemporaryDirectory() as folder:
        ours = DltoolLoop(parts, Path(folder))
        contestants[DLTOOL] = ours.time_steps
        if has_bare_loop(config, parts.dataset):
            bare = bare_loop_beside(config, parts.task, parts.dataset, parts.settings)
            same = compare(ours, bare, config["seed"])
            contestants[HAND_WRITTEN] = partial(time_run, bare.run, parts.device)
        else:
            chosen = f"task={config['task']['name']} on data={config['data']['name']}"
            missing[HAND_WRITTEN] = f"none exists for {chosen} as configured"
        if with_peers:
            peers, absent = build_peers(config, parts, Path(folder))
            contestants, missing = contestants | peers, missing | absent
        num_steps, timings = time_in_turns(contestants, rounds, seconds, least_seconds)
        ours.close()
    per_step = {name: rates(times, num_steps, ours.samples_per_step) for name, times in timings.items()}
    return {
        "title": f"{parts.title}, batch {parts.dataset.batch_size}",
        "device": describe_device(parts.device),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "unit": ours.trainer.progress.unit,  # The unit of samples_per_second.
        "rounds": rounds,
        "steps_per_round": num_steps,
        "left_out": list(LEFT_OUT),
        "same": same,
        "figures": {name: speed | spread_of_each(starts.get(name, [])) for name, speed in per_step.items()},
        "times_as_long": ratios_to_dltool(timings),
        "missing": missing,
    }


def ratios_to_dltool(timings: Mapping[str, Sequence[Seconds]]) -> dict[str, Any]:
    """For each contestant how many times as long dltool takes, with the spread over the rounds."""
    return {
        name: {kind: spread(divided(timings[DLTOOL], times, kind)) for kind in Seconds._fields}
        for name, times in timings.items()
        if name != DLTOOL
    }


def compare(ours: DltoolLoop, bare: BareLoop, seed: int) -> dict[str, Any]:
    """Whether both compute the same from the same weights, on the same batches, at a constant learning rate.

    Returns:
        "steps" taken, the "largest_difference" of two parameters afterwards, relative for parameters larger than 1, and
        whether they are "equal" up to rounding.
    """
    trainer, batches, source = ours.trainer, bare.batches, copy.copy(ours.trainer.source)
    schedules = {updater: updater.schedule for updater in trainer.updaters.values()}
    for updater in schedules:
        updater.schedule = Schedule(lambda time, total: 1.0)
    ours.run(NUM_CHECKED_STEPS)
    for updater, schedule in schedules.items():
        updater.schedule = schedule
    bare.batches = (source.draw() for _ in iter(int, 1))
    for step in range(NUM_CHECKED_STEPS):
        seed_default_generators(step_seed(seed, step), trainer.device)
        bare.before_part = noise_of_parts(trainer, step)
        bare.step()
    bare.batches, bare.before_part = batches, lambda number: None
    pairs = zip(trainer.task.model.parameters(), bare.model.parameters(), strict=True)
    differences = [float(((a - b).abs() / a.abs().clamp(min=1)).detach().max()) for a, b in pairs]
    tolerance = TOLERANCE.get(trainer.device.type, OTHER_TOLERANCE)
    return {
        "steps": NUM_CHECKED_STEPS,
        "largest_difference": max(differences),
        "equal": all(difference <= tolerance for difference in differences),  # NaN is not.
    }


def noise_of_parts(trainer: Trainer, step: int) -> Callable[[int], None]:
    """Gives each micro-batch of a step the random numbers that it has in dltool; see Pieces."""
    pieces = next((updater.pieces for updater in trainer.updaters.values()), Pieces())
    update = -1

    def seed_part(number: int) -> None:
        nonlocal update
        update += number == 0
        pieces.draw_from("piece", update, number)

    pieces.begin_step(step)
    return seed_part if pieces.count > 1 else lambda number: None


def rates(times: Sequence[Seconds], num_steps: int, samples_per_step: float) -> dict[str, Any]:
    """Speed and cost of a step in each round."""
    return {
        "samples_per_second": spread([num_steps * samples_per_step / time.wall for time in times]),
        "ms_per_step": spread([1000 * time.wall / num_steps for time in times]),
        "cpu_ms_per_step": spread([1000 * time.cpu / num_steps for time in times]),
    }


def divided(ours: Sequence[Seconds], theirs: Sequence[Seconds], kind: str) -> list[float]:
    """The ratio of the times of each round, which were measured under the same conditions."""
    return [getattr(a, kind) / getattr(b, kind) for a, b in zip(ours, theirs, strict=True)]


def spread_of_each(starts: Sequence[dict[str, float]]) -> dict[str, Any]:
    return {name: spread([start[name] for start in starts]) for name in starts[0]} if starts else {}


def spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}
