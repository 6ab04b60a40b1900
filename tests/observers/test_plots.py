import sys
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image
from torch import nn
from watching import watch

from dltool.engine.observer import Progress
from dltool.observers.jsonl import JsonlLog
from dltool.observers.plots import CurvesPlot
from dltool.tasks.task import Task

RECORDS = [
    {"step": 23, "epoch": 1, "split": "train", "train/loss": 1.0, "train/lr": 1e-3},
    {"step": 23, "epoch": 1, "split": "val", "val/loss": 0.5},
    {"step": 46, "epoch": 2, "split": "train", "train/loss": 0.5, "train/lr": 1e-3},
    {"step": 46, "epoch": 2, "split": "val", "val/loss": 0.4},
]


def test_observer_reads_the_log_and_leaves_matplotlib_alone(tmp_path: Path) -> None:
    settings, had_pyplot = dict(matplotlib.rcParams), "matplotlib.pyplot" in sys.modules
    plot, log = CurvesPlot(watch(tmp_path, model="lenet", data="digits")), JsonlLog(tmp_path / "metrics.jsonl")
    plot.on_start(Task(nn.Identity()), Progress(total_steps=69, total_epochs=3))
    plot.on_end()
    assert not (tmp_path / "plots").exists()  # Ended before the first record.
    for record in RECORDS:
        log.on_record(record)
    plot.on_end()
    pixels = np.asarray(Image.open(tmp_path / "plots" / "curves.png").convert("RGB"))
    assert (pixels != 255).any(axis=2).mean() > 0.005
    assert dict(matplotlib.rcParams) == settings
    assert ("matplotlib.pyplot" in sys.modules) == had_pyplot
