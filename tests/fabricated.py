"""Run folders made up by tests: a real run's files with other numbers in them."""

import json
import os
from pathlib import Path
from typing import Any

from dltool.runs.unedited import CHECKSUMS

CONFIG = {
    "seed": 0,
    "run.dir": None,
    "task.name": "supervised",
    "optim.name": "adam",
    "optim.lr": 0.001,
    "optim.betas": [0.9, 0.999],
    "logger.name": "default",
    "logger.every_n_steps": 50,
    "data.name": "iris",
    "model.name": "mlp",
    "model.hidden": [8],
}


def make_run(
    path: Path,
    config: dict[str, Any] | None = None,
    *,
    metrics: dict[str, float] | None = None,
    curve: list[float] | None = None,
    **status: Any,
) -> Path:
    """Write a run folder.

    Args:
        path: Of the folder, which is made.
        config: What differs from CONFIG.
        metrics: Final values.
        curve: `val/loss` of each epoch, of 10 steps each.
        status: What differs in status.json: state, step, pid, …
    """
    path.mkdir(parents=True)
    whole = {
        "state": "finished",
        "step": 20,
        "epoch": 2,
        "metrics": {"train/loss": 1.0, "train/lr": 0.1, "val/loss": 0.5} | (metrics or {}),
        "stopped_by": "epochs",
        "tested": "step-000020",
        "seconds": {"first_step": 1.0, "train": 2.0, "total": 3.5},
        "samples_per_second": 1000.0,
        "error": None,
        "pid": os.getpid(),
        "config": CONFIG | (config or {}),
    } | status
    (path / "status.json").write_text(json.dumps(whole), encoding="utf-8")
    (path / "config.yaml").write_text(f"# dltool train --from {path}\nseed: 0\n", encoding="utf-8")
    (path / "environment.json").write_text(
        json.dumps({"versions": {"torch": "2.15.0"}, "command": ["dltool", "train"], "auto": {"trainer.threads": 1}})
    )
    (path / ".lock").write_text("1\n")
    lines = []
    for epoch, value in enumerate(curve or [], start=1):
        lines.append({"step": 10 * epoch, "epoch": epoch, "split": "train", "train/loss": value, "train/lr": 0.1})
        lines.append({"step": 10 * epoch, "epoch": epoch, "split": "val", "val/loss": value})
    (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    checkpoint = path / "checkpoints" / "step-000020"
    checkpoint.mkdir(parents=True)
    (checkpoint / "weights.safetensors").write_bytes(bytes(1_000_000))
    (path / "checkpoints" / "last").write_text("step-000020")
    return path


def without_checksums(run: Path) -> None:
    """Make a run one of an earlier version, without checksums of its files, which a test may change then."""
    path = run / "environment.json"
    environment = json.loads(path.read_text(encoding="utf-8"))
    assert environment.pop(CHECKSUMS)
    path.write_text(json.dumps(environment), encoding="utf-8")
