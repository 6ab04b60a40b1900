"""The time of a training until its first step, and its memory: each start in its own process.

The processes are forked from this one before it has computed anything. torch is already imported, with everything that
its optimizers import, so that only the training is timed: device, data, model, optimizer, first step.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch._dynamo  # The hand-written loop's first optimizer imports it, in a second; dltool's does not need it.

from dltool.bench.bare_loop import build_bare_loop, has_bare_loop
from dltool.bench.dltool_loop import DltoolLoop
from dltool.bench.stopwatch import synchronize
from dltool.build.prepare import prepare
from dltool.config.check import Config

NUM_STEPS, MAX_SECONDS = 20, 1.0  # Limits of the steps after the first, for the peak memory.
MIB = 2**20

Start = dict[str, float]  # "first_step_seconds", "peak_memory_mib"


def measure_starts(config: Config, num_starts: int) -> dict[str, list[Start]]:
    """Start the training `num_starts` times, dltool and the hand-written loop in turns.

    Returns:
        No entry for a loop that failed: dltool's will fail again in this process, with an error, and the hand-written
        one has no data in memory if data.residency=auto becomes loader. Empty if processes cannot be forked (on
        Windows; on macOS they can, but not with Metal).
    """
    if not hasattr(os, "fork") or sys.platform == "darwin":
        return {}
    loops = {"dltool": start_dltool, **({"hand-written": start_bare_loop} if has_bare_loop(config) else {})}
    found: dict[str, list[Start]] = {name: [] for name in loops}
    names = list(loops)
    for _ in range(num_starts):
        for name in names:
            if name in found:
                start = in_a_fork(lambda name=name: loops[name](config))  # type: ignore[misc]
                if start is None:
                    del found[name]
                else:
                    found[name].append(start)
        names.reverse()
    return found


def start_dltool(config: Config) -> Start:
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        loop = DltoolLoop(prepare(config), Path(folder))
        loop.bar.on_start(loop.trainer.task, loop.trainer.progress)
        measured = measure(loop.run, started, loop.trainer.device)
        loop.bar.on_end()
    return measured


def start_bare_loop(config: Config) -> Start:
    started = time.perf_counter()
    loop = build_bare_loop(config)
    return measure(loop.run, started, loop.device)


def measure(run: Callable[[int], None], started: float, device: torch.device) -> Start:
    run(1)
    synchronize(device)
    first_step = time.perf_counter() - started
    for _ in range(NUM_STEPS):
        run(1)
        if time.perf_counter() - started - first_step > MAX_SECONDS:
            break
    synchronize(device)
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(device)
    else:
        import resource  # Not on Windows.

        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"first_step_seconds": first_step, "peak_memory_mib": peak / MIB}


def in_a_fork(work: Callable[[], Start]) -> Start | None:
    """The result of work done in a fork of this process; None if it failed."""
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as pipe:
                json.dump(work(), pipe)
        finally:
            os._exit(0)  # Without the parent's exit handlers.
    os.close(writing)
    with os.fdopen(reading) as pipe:
        result = pipe.read()
    os.waitpid(child, 0)
    return json.loads(result) if result else None
