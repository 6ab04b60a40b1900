"""Profiles training steps with the torch profiler."""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile, schedule

from dltool.core.numerals import counted
from dltool.core.safe_path import SafePath
from dltool.engine.observer import Observer

WARMUP_STEPS = 10
NUM_ROWS = 20
TRACE = "trace.json"


class StepProfiler(Observer, contextlib.AbstractContextManager[None]):
    """Profiles some steps after a warm-up of ten, and writes the results.

    Entered again around each step. It is also an observer, since a training may end before all steps are profiled.
    Work between the steps (an evaluation, a checkpoint) is profiled too.

    Args:
        folder: Created for `table.txt`, time by operation, and `trace.json`, for chrome://tracing or ui.perfetto.dev.
        num_steps: Steps to profile.
    """

    def __init__(self, folder: Path, num_steps: int, device: torch.device) -> None:
        self.folder = folder
        self.num_steps = num_steps
        self.on_cuda = device.type == "cuda"
        activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if self.on_cuda else [])]
        phases = schedule(wait=0, warmup=WARMUP_STEPS, active=num_steps, repeat=1)
        self.profile: Any = profile(activities=activities, schedule=phases, on_trace_ready=self.write)
        self.steps_seen = 0

    def __enter__(self) -> None:
        if self.steps_seen == 0:
            self.profile.start()

    def __exit__(self, *error: object) -> None:
        self.steps_seen += 1
        if self.steps_seen <= WARMUP_STEPS + self.num_steps:
            self.profile.step()

    def on_end(self) -> None:
        """Write the steps profiled so far if the training ended early; nothing if it ended in the warm-up."""
        if 0 < self.steps_seen < WARMUP_STEPS + self.num_steps:
            self.profile.stop()

    def write(self, profiled: Any) -> None:
        folder = SafePath(self.folder.parent, self.folder.name)
        steps = min(self.steps_seen - WARMUP_STEPS, self.num_steps)
        key = "self_device_time_total" if self.on_cuda else "self_cpu_time_total"
        table = profiled.key_averages().table(sort_by=key, row_limit=NUM_ROWS, max_name_column_width=50)
        header = f"{counted(steps, 'step')} after {WARMUP_STEPS} of warm-up, the operations with the longest self time;"
        lines = [f"{header} ProfilerStep is Python's work between them", *map(str.rstrip, table.splitlines())]
        (folder / "table.txt").write("\n".join(lines) + "\n")
        with tempfile.TemporaryDirectory() as scratch:  # The profiler writes to a path.
            trace = Path(scratch, TRACE)
            profiled.export_chrome_trace(str(trace))
            (folder / TRACE).write(trace.read_bytes())
