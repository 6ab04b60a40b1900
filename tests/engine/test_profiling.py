"""The profiler sees the steps that it is to see, and writes a table and a trace."""

import json
from pathlib import Path

import torch

from dltool.engine.profiling import WARMUP_STEPS, StepProfiler


def take_steps(folder: Path, num_profiled: int, num_steps: int) -> str | None:
    folder.mkdir(exist_ok=True)
    profiler = StepProfiler(folder / "profile", num_profiled, torch.device("cpu"))
    weight = torch.randn(8, 8)
    for _ in range(num_steps):
        with profiler:
            weight @ weight
    profiler.on_end()
    table = folder / "profile" / "table.txt"
    return table.read_text() if table.exists() else None


def calls(table: str, name: str) -> int:
    (row,) = [line for line in table.splitlines() if line.split()[:1] == [name]]
    return int(row.split()[-1])


def test_the_steps_after_the_warm_up_are_seen_once(tmp_path: Path) -> None:
    table = take_steps(tmp_path, 3, WARMUP_STEPS + 3 + 20)
    assert table is not None
    assert table.startswith("3 steps after 10 of warm-up")
    assert calls(table, "aten::mm") == 3
    trace = json.loads((tmp_path / "profile" / "trace.json").read_text())
    assert sum(event.get("name") == "aten::mm" for event in trace["traceEvents"]) == 3


def test_a_training_that_ends_too_early(tmp_path: Path) -> None:
    table = take_steps(tmp_path / "between", 30, WARMUP_STEPS + 4)
    assert table is not None
    assert table.startswith("4 steps after")
    assert calls(table, "aten::mm") == 4
    assert take_steps(tmp_path / "in the warm-up", 3, WARMUP_STEPS - 1) is None
    assert take_steps(tmp_path / "not at all", 3, 0) is None
