"""Compares a training that something ended, perhaps often, with one that nothing interrupted."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from warm_process import run_dltool

from dltool.engine.checkpoint import load_newest
from dltool.runs.records import read_records


def check_exact(folder: Path, words: Sequence[str], steps: int) -> None:
    """Continue `folder/run`, of two processes, to a step; it must equal one process with two pieces to the last bit.

    Args:
        folder: Where both trainings are.
        words: The overrides of the training, in which neither schedule nor evaluations depend on its length.
        steps: The last step.
    """
    end = f"trainer.steps={steps}"
    done = run_dltool("resume", "run", end, "trainer.devices=2", "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    done = run_dltool("train", *words, "run.dir=whole", "trainer.accumulate=2", end, cwd=folder, timeout=300)
    assert done.returncode == 0, done.stderr
    killed, whole = (load_newest(folder / name / "checkpoints", pytest.fail) for name in ("run", "whole"))
    assert killed is not None
    assert whole is not None
    assert killed.step == whole.step == steps
    assert all(torch.equal(tensor, whole.weights[name]) for name, tensor in killed.weights.items())
    lines = [read_records(folder / name / "metrics.jsonl") for name in ("run", "whole")]
    assert len(lines[0]) == len(lines[1])
    for one, other in zip(*lines, strict=True):
        assert one.pop("split") == other.pop("split")
        assert one == pytest.approx(other, rel=1e-6)
