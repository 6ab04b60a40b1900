import io
import math
import sys
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
import torch
from rich.console import Console
from torch import nn

from dltool.engine.observer import Progress
from dltool.metrics.mean import Mean
from dltool.observers.progress import Pace, ProgressBar, Reading
from dltool.tasks.task import Task

TASK = Task(nn.Identity())
SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"


@pytest.fixture
def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)


@pytest.fixture
def pipe() -> Console:
    return Console(file=io.StringIO(), force_terminal=False)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Seconds that the observers see; set clock[0]."""
    now = [100.0]
    monkeypatch.setattr("dltool.observers.progress.time.perf_counter", lambda: now[0])
    return now


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def train_an_epoch(progress: Progress, bar: ProgressBar, num_steps: int = 23) -> None:
    progress.step += num_steps
    progress.samples += num_steps * 64
    progress.epoch += 1
    log(progress, bar, "train", loss=0.1234, accuracy=0.9, lr=1e-3)
    log(progress, bar, "val", accuracy=0.97213)
    bar.on_epoch()


def log(progress: Progress, bar: ProgressBar, split: str, **values: float) -> None:
    """As the trainer does."""
    named = {f"{split}/{name}": value for name, value in values.items()}
    progress.metrics.update(named)
    bar.on_record({"step": progress.step, "epoch": progress.epoch, "split": split, **named})


def test_plain_line_per_epoch(pipe: Console, clock: list[float]) -> None:
    progress = Progress(total_steps=690, total_epochs=30)
    bar = ProgressBar(pipe)
    bar.on_start(TASK, progress)
    for _ in range(3):
        clock[0] += 2.0
        log(progress, bar, "step", loss=9.0, lr=1e-3)  # Not a line of its own.
        train_an_epoch(progress, bar)
    bar.on_end()
    lines = text(pipe).splitlines()
    assert len(lines) == 3
    speed = "736 samples/s"  # 23 · 64 / 2 s
    assert lines[2] == f"epoch 3/30   step 69   train/loss 0.1234  val/accuracy 0.9721  {speed}  0:00:54 left"


def test_plain_lines_do_not_wrap_and_have_no_escapes(pipe: Console) -> None:
    progress = Progress(total_steps=23, total_epochs=1)
    bar = ProgressBar(pipe)
    bar.on_start(TASK, progress)
    progress.step = progress.epoch = 1
    log(progress, bar, "val", **{f"[bold]metric_{i}": float(i) for i in range(20)})
    bar.on_epoch()
    assert text(pipe).count("\n") == 1
    assert "val/[bold]metric_19" in text(pipe)
    assert "\x1b" not in text(pipe)


def test_an_epoch_without_evaluation_shows_no_stale_value(pipe: Console, clock: list[float]) -> None:
    progress = Progress(total_steps=46, total_epochs=2)
    bar = ProgressBar(pipe)
    bar.on_start(TASK, progress)
    train_an_epoch(progress, bar)
    progress.step, progress.epoch = 46, 2
    log(progress, bar, "train", loss=0.1, accuracy=0.95)
    bar.on_epoch()
    assert "train/loss 0.1000  train/accuracy 0.9500" in text(pipe).splitlines()[1]
    assert "val/" not in text(pipe).splitlines()[1]


def test_a_long_epoch_gives_a_sign_of_life(pipe: Console, clock: list[float]) -> None:
    progress = Progress(total_steps=10_000, total_epochs=1)
    bar = ProgressBar(pipe)
    bar.on_start(TASK, progress)
    for seconds in (30, 31, 30, 31):
        clock[0] += seconds
        progress.step += 50
        log(progress, bar, "step", loss=1.0)
    lines = text(pipe).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch 0/1  step 100    train/loss 1.0000")


def test_a_training_in_steps_gets_a_line_per_record(pipe: Console) -> None:
    progress = Progress(step=500, total_steps=10_000)
    bar = ProgressBar(pipe)
    bar.on_start(TASK, progress)
    progress.step = 550
    log(progress, bar, "step", loss=math.nan, lr=0.1)
    log(progress, bar, "train", loss=2.0)  # The pass is over; the lines of its steps have said it.
    log(progress, bar, "val", loss=2e-5, modes=8)
    bar.on_epoch()
    lines = [line.split("  0:")[0].split("  0 samples")[0] for line in text(pipe).splitlines()]
    assert lines == ["step 550    train/loss nan", "step 550    val/loss 2e-05  val/modes 8"]


def test_very_many_records_are_thinned(pipe: Console) -> None:
    progress = Progress(total_steps=10_000)
    bar = ProgressBar(pipe)
    bar.on_start(TASK, progress)
    for progress.step in range(1, 10_001):
        log(progress, bar, "step", loss=1.0)
    assert len(text(pipe).splitlines()) == 1000


def test_very_many_epochs_are_thinned_but_the_last_is_printed(pipe: Console) -> None:
    progress = Progress(total_steps=2501, total_epochs=2501)
    bar = ProgressBar(pipe)
    bar.on_start(TASK, progress)
    for _ in range(2501):
        train_an_epoch(progress, bar, num_steps=1)
    lines = text(pipe).splitlines()
    assert len(lines) == 97  # every 26th, and the last
    assert lines[-1].startswith("epoch 2501/2501")


@pytest.mark.parametrize("name", ["terminal", "pipe"])
def test_quiet_prints_nothing(name: str, request: pytest.FixtureRequest) -> None:
    console = request.getfixturevalue(name)
    progress = Progress(total_steps=23, total_epochs=1)
    bar = ProgressBar(console, quiet=True)
    bar.on_start(TASK, progress)
    train_an_epoch(progress, bar)
    bar.on_end()
    assert text(console) == ""


def test_bar_shows_running_means_and_leaves_the_terminal_whole(terminal: Console) -> None:
    progress = Progress(total_steps=46, total_epochs=2, activity="training")
    bar = ProgressBar(terminal)
    threads = threading.active_count()
    bar.on_start(TASK, progress)
    progress.metrics = {"step/loss": 7.0, "train/loss": 8.0, "val/loss": 9.0}
    progress.sums.update({"loss": Mean(torch.tensor(6.0), 3), "accuracy": Mean(torch.tensor(3), torch.tensor(4))})
    progress.step, progress.samples = 5, 320
    bar._live.refresh()  # type: ignore[union-attr]  # What the timer does.
    assert "epoch 1/2" in text(terminal)
    assert "training  loss 2  accuracy 0.7500  val/loss 9" in text(terminal)
    assert "loss 7" not in text(terminal)
    assert "loss 8" not in text(terminal)
    assert "11%" in text(terminal)
    train_an_epoch(progress, bar, num_steps=18)
    assert "epoch 1/2  train/loss 0.1234  val/accuracy 0.9721" in text(terminal)
    bar.on_end()
    bar.on_end()  # As when a failing training ends it and the interpreter does again.
    assert text(terminal).rfind(SHOW_CURSOR) > text(terminal).rfind(HIDE_CURSOR)
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(1)
    assert threading.active_count() <= threads


def test_cursor_is_visible_while_the_bar_runs(terminal: Console) -> None:
    """So that kill -9, after which nobody can put it back, does not take it away."""
    bar = ProgressBar(terminal)
    bar.on_start(TASK, Progress(total_steps=1))
    assert text(terminal).rfind(SHOW_CURSOR) > text(terminal).rfind(HIDE_CURSOR)
    bar.on_end()


def test_a_training_that_dies_without_a_word_leaves_the_terminal_whole(
    terminal: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception that passes the trainer by: the interpreter ends the bar on its way out."""
    at_exit: list[Callable[[], None]] = []
    monkeypatch.setattr("dltool.observers.progress.atexit.register", at_exit.append)
    monkeypatch.setattr("dltool.observers.progress.atexit.unregister", at_exit.remove)
    bar, streams = ProgressBar(terminal), (sys.stdout, sys.stderr)
    bar.on_start(TASK, Progress(total_steps=1))
    assert len(at_exit) == 1
    at_exit[0]()
    erased = text(terminal).split("\n")[-1]
    assert SHOW_CURSOR in erased
    assert erased.endswith("\x1b[2K")
    assert (sys.stdout, sys.stderr) == streams
    assert not at_exit  # A sweep's thousand runs leave nothing behind.


class SharedDict(dict):
    """What the training thread may change at any moment: to copy it whole is safe, to loop over it is not."""

    def items(self) -> NoReturn:
        raise RuntimeError("dictionary changed size during iteration")

    values = items


def test_bar_only_copies_what_the_training_thread_writes(terminal: Console) -> None:
    progress, bar = Progress(total_steps=10), ProgressBar(terminal)
    progress.sums.update({"loss": Mean(1.0, 2)})
    progress.metrics = SharedDict({"val/loss": 0.25})
    bar.on_start(TASK, progress)
    bar._live.refresh()  # type: ignore[union-attr]
    bar.on_end()
    assert "loss 0.5000  val/loss 0.2500" in text(terminal)


def test_a_failing_device_leaves_the_last_values(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, progress = Reading(), Progress()
    progress.sums.update({"loss": Mean(1.0, 2)})
    reading.read_running_means(progress)

    def fail() -> dict[str, float]:
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(progress.sums, "compute", fail)
    reading.read_running_means(progress)
    assert reading.running == {"loss": 0.5}


def test_time_left_leaves_out_the_first_step_and_counts_from_a_resume(clock: list[float]) -> None:
    progress, pace = Progress(step=1000, total_steps=1110), Pace()
    pace.mark(progress)
    assert pace.describe(progress) == []
    clock[0] += 60.0  # The first step compiles.
    progress.step, progress.samples = 1010, 100
    pace.mark(progress)
    assert pace.describe(progress) == ["2 samples/s", "0:10:00 left"]
    clock[0] += 5.0
    progress.step, progress.samples = 1060, 600
    pace.mark(progress)
    assert pace.describe(progress) == ["9 samples/s", "0:00:05 left"]
    clock[0] += 11.0  # The compiling one has left the window.
    progress.step, progress.samples = 1110, 1100
    pace.mark(progress)
    assert pace.describe(progress) == ["45 samples/s", "0:00:00 left"]
