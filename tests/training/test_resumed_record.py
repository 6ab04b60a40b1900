"""What a run's records say of its beginning, its test and the figures that were asked for."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import dltool as package

Dltool = Callable[..., subprocess.CompletedProcess[str]]
WORDS = ["train", "model=mlp", "data=iris", "trainer.threads=1", "logger.plots=false", "run.dir=run"]


def test_the_command_of_the_beginning_is_kept(dltool_here: Dltool) -> None:
    assert dltool_here(*WORDS, "trainer.epochs=1").returncode == 0
    path = Path("run", "environment.json")
    content = json.loads(path.read_text()) | {"command": ["dltool", *WORDS], "working_directory": "/where/it/began"}
    path.write_text(json.dumps(content))
    assert dltool_here("resume", "run", "trainer.epochs=2").returncode == 0
    after = json.loads(path.read_text())
    assert (after["command"], after["working_directory"]) == (["dltool", *WORDS], "/where/it/began")
    assert len(after["resumed"]) == 1


def test_the_summary_and_the_log_are_of_the_tested_weights(dltool_here: Dltool) -> None:
    done = dltool_here(
        *WORDS, "trainer.epochs=40", "optim.lr=0.1", "trainer.test=best", "optim=sgd", "schedule=constant"
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in Path("run", "metrics.jsonl").read_text().splitlines()]
    losses = {line["step"]: line["val/loss"] for line in lines if "val/loss" in line}
    best = min(losses, key=lambda step: losses[step])
    assert lines[-1]["tested_step"] == best
    assert f"│ val/loss      │ {losses[best]:.4f} " in done.stdout
    commands = [line for line in done.stdout.splitlines() if " dltool " in line]
    assert len(commands) == 3
    assert not any("│" in line for line in commands)


def test_a_figure_that_was_asked_for_is_drawn_without_the_others(dltool_here: Dltool) -> None:
    done = dltool_here(*WORDS, "trainer.epochs=1", "task.metrics=[confusion]")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in Path("run", "plots").iterdir()] == ["confusion.png"]
    row = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
    run = package.load("run")
    names = [column.name for column in run.preprocessing.columns]
    row = dict(zip(names, row.values(), strict=True))
    assert run.predict(row).values == run.predict([row]).values
