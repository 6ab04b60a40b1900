"""The values of the figure of stopping rules are those of the weights and the log, its thresholds the config's."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import torch
from places import NUMBERS_ONLY

from dltool.core.safe_path import SafePath
from dltool.diagnostics.store import DiagnosticsStore, read_stopping, read_weights, weight_files
from dltool.plotting.runs import loaded
from dltool.plotting.stopping import panels_of
from dltool.runs.records import read_records

Dltool = Callable[..., CompletedProcess[str]]
RATE = 0.05
WORDS = ("model=mlp", "model.hidden=[4]", "data=iris", "optim=sgd", f"optim.lr={RATE}", "schedule=constant")
RULES = ("stop.gradient_norm=1e-4", "stop.update_norm=1e-5", "stop.every_n_steps=1", "stop.loss_change=1e-6")


def norm_of_change(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> float:
    return float(torch.cat([(after[name] - before[name]).double().flatten() for name in before]).norm())


def test_the_values_are_those_of_the_weights_and_the_log(dltool_here: Dltool) -> None:
    short = ("trainer.epochs=5", *NUMBERS_ONLY, "diagnostics=default", "run.dir=run")
    more = ("stop.num_evaluations=2", "stop.target=1.5", "stop.patience=9")
    done = dltool_here("train", *WORDS, *RULES, *more, *short)
    assert done.returncode == 0, done.stderr
    drawn = dltool_here("plot", "run", "--figure", "stopping")
    assert drawn.returncode == 0, drawn.stderr
    assert Path("run/plots/stopping.png").stat().st_size > 5000
    panels = {panel.key: panel for panel in panels_of(loaded(Path("run").resolve()))}
    assert {key: panel.threshold for key, panel in panels.items()} == {
        "stop.gradient_norm": 1e-4,
        "stop.update_norm": 1e-5,
        "stop.loss_change": 1e-6,
        "stop.target": 1.5,
        "stop.patience": 9,
    }
    files = dict(weight_files(Path("run/diagnostics")))
    gradients, updates = (dict(panels[f"stop.{name}_norm"].points) for name in ("gradient", "update"))
    for step in (1, 2):
        change = norm_of_change(read_weights(files[step - 1]), read_weights(files[step]))
        assert updates[step] == pytest.approx(change, rel=1e-5)
        assert gradients[step] == pytest.approx(change / RATE, rel=1e-4)  # Gradient descent: Δθ = -η ∇J.
    records = read_records(Path("run/metrics.jsonl"))
    losses = [record["train/loss"] for record in records if "train/loss" in record]
    spreads = [max(losses[end - 3 : end]) - min(losses[end - 3 : end]) for end in range(3, len(losses) + 1)]
    assert [value for _, value in panels["stop.loss_change"].points] == spreads
    scores = {record["step"]: record["val/accuracy"] for record in records if "val/accuracy" in record}
    assert scores.items() <= dict(panels["stop.target"].points).items()


def test_a_run_without_rules_has_no_such_figure(dltool_here: Dltool) -> None:
    done = dltool_here("train", *WORDS, "trainer.epochs=1", *NUMBERS_ONLY, "diagnostics=default", "run.dir=run")
    assert done.returncode == 0, done.stderr
    assert not Path("run/diagnostics/stopping.jsonl").exists()
    assert "no stopping rule was evaluated" in dltool_here("plot", "run", "--figure", "list").stdout


def test_a_resume_keeps_what_lies_before_its_checkpoint(tmp_path: Path) -> None:
    store = DiagnosticsStore(SafePath(tmp_path, "diagnostics"))
    for step in (2, 4, 4, 6):
        store.add_stopping(step, {"gradient_norm": float(step), "patience": float("nan")})
    store.add_stopping(8, {})
    store.cut_back(4)
    assert read_stopping(tmp_path / "diagnostics")["gradient_norm"] == {2: 2.0, 4: 4.0}
    assert set(read_stopping(tmp_path / "diagnostics")) == {"gradient_norm", "patience"}
