"""The page of a run is written after everything else; a kill before it does not leave the run without one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_resume_writes_the_page_that_a_kill_has_prevented(
    trained_here: Callable[..., Path], dltool_here: Callable[..., Any]
) -> None:
    run = trained_here("run", "model=mlp", "data=iris", "trainer.epochs=1", "logger.plots=false")
    assert "nothing is left to do" in dltool_here("resume", "run").stderr
    metrics = (run / "metrics.jsonl").read_bytes()
    (run / "report.html").unlink()
    assert dltool_here("resume", "run").returncode == 0
    assert (run / "report.html").exists()
    assert (run / "metrics.jsonl").read_bytes() == metrics
    assert "nothing is left to do" in dltool_here("resume", "run").stderr
