"""The progress display of a training: a live bar in a terminal, plain lines anywhere else."""

import atexit
import math
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from dltool.core.messages import message_stream
from dltool.core.numerals import numeral
from dltool.engine.observer import Observer, Progress
from dltool.tasks.task import Task

if TYPE_CHECKING:  # rich takes 0.05 s to import, which `--quiet` avoids.
    from rich.console import Console, RenderableType
    from rich.live import Live

REFRESHES_PER_SECOND = 4
BAR_WIDTH = 100
LINES_PER_RUN = 1000
EPOCHS_PRINTED = 100  # The default length of small data is 2,000 epochs.
SILENT_SECONDS = 60.0


class ProgressBar(Observer):
    """Loss, metrics, speed and time left, redrawn by a timer; a line per finished epoch above them.

    Nothing happens per step: rich's refresh thread reads the shared Progress four times a second. Redrawing
    at each step would cost 500 µs a step; the timer was measured at 2 µs on steps of 400 µs.

    If the length is given in epochs, a line is printed per epoch; if in steps, a line per record of some steps and
    per evaluation. Both are thinned to about 1,000 lines a run. If the console is not a terminal, only those lines
    are printed, and one more after each silent minute of a long epoch.

    The cursor stays visible, unlike in rich's own bars: however the process ends, also by kill -9, the terminal
    stays usable.

    Args:
        console: Where to draw; by default where messages go, see dltool.core.messages.
        quiet: Print nothing at all.
    """

    def __init__(self, console: "Console | None" = None, *, quiet: bool = False) -> None:
        self.console = console
        self.quiet = quiet
        self.progress = Progress()
        self._live: Live | None = None
        self._reading = Reading()
        self._epoch_metrics: dict[str, float] = {}
        self._printed_at, self._printed_step = -math.inf, 0

    def on_start(self, task: Task, progress: Progress) -> None:
        self.progress = progress
        self._reading = Reading()
        self._reading.pace.mark(progress)
        self._printed_at, self._printed_step = time.perf_counter(), progress.step
        if self.quiet:
            return
        from rich.live import Live

        from dltool.core.console import Console

        self.console = self.console or Console(file=message_stream())
        if not self.console.is_terminal or self.console.is_dumb_terminal:
            return
        self._live = Live(
            get_renderable=self._draw,
            console=self.console,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=True,
            # Other output appears above the bar; a stream redirected to a file still goes there.
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=sys.stderr.isatty(),
        )
        atexit.register(self.on_end)
        self._live.start()
        self.console.show_cursor(True)

    def on_record(self, record: dict[str, Any]) -> None:
        progress, split = self.progress, record["split"]
        metrics = {name: value for name, value in record.items() if "/" in name}
        if progress.total_epochs is None:
            since = progress.step - self._printed_step
            if split in ("val", "test") or (split == "step" and since >= progress.total_steps / LINES_PER_RUN):
                self._print_line(metrics)
        elif split != "step":
            self._epoch_metrics |= metrics
        elif self._live is None and time.perf_counter() - self._printed_at >= SILENT_SECONDS:
            self._print_line(metrics)

    def on_epoch(self) -> None:
        progress, metrics = self.progress, self._epoch_metrics
        self._epoch_metrics = {}
        if progress.total_epochs is None:
            return
        is_last = progress.epoch == progress.total_epochs
        if is_last or progress.epoch % math.ceil(progress.total_epochs / EPOCHS_PRINTED) == 0:
            # With held-out data, only the losses of the training metrics.
            has_held_out = any(not name.startswith("train/") for name in metrics)
            shown = {
                k: v for k, v in metrics.items() if not (has_held_out and k.startswith("train/") and "loss" not in k)
            }
            self._print_line(shown)

    def on_end(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
            atexit.unregister(self.on_end)

    def _print_line(self, metrics: dict[str, float]) -> None:
        """Print `epoch 3/30  step 69  train/loss 0.1234  val/accuracy 0.9721  12,300 samples/s  0:00:12 left`.

        Above a bar the line leaves out what the bar shows.
        """
        if self.quiet or self.console is None:
            return
        progress = self.progress
        self._printed_at, self._printed_step = time.perf_counter(), progress.step
        words = _describe(metrics)
        if self._live is None or progress.total_epochs is None:
            words.insert(0, f"step {progress.step}".ljust(len(f"step {progress.total_steps}")))
        if progress.total_epochs is not None:
            words.insert(0, _epoch(progress.epoch, progress.total_epochs))
        if self._live is None:
            self._reading.pace.mark(progress)
            words += self._reading.pace.describe(progress)
        self.console.print("  ".join(words), markup=False, highlight=False, soft_wrap=True)

    def _draw(self) -> "RenderableType":
        """The bar's two lines; called by the refresh thread."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar as Bar
        from rich.table import Table
        from rich.text import Text

        shown = self._reading.read(self.progress)
        first = Table.grid(padding=(0, 2, 0, 0))
        first.width = min(self.console.width if self.console else 80, BAR_WIDTH)
        for ratio in (None, 1, None, None):  # The bar takes the remaining width.
            first.add_column(ratio=ratio, no_wrap=True)
        bar = Bar(total=1.0, completed=shown.fraction, complete_style="green")
        first.add_row(shown.position, bar, f"{shown.fraction:4.0%}", "  ".join(shown.pace))
        second = Text("  ".join([shown.activity, *shown.metrics]), style="dim", no_wrap=True, overflow="ellipsis")
        return Group(first, second)


class Shown(NamedTuple):
    """What a bar shows of a training at one moment, as text; `fraction` is the share of its steps."""

    position: str
    fraction: float
    pace: list[str]
    activity: str
    metrics: list[str]


class Reading:
    """Reads the shared Progress for a bar, a few times a second and in its own thread."""

    def __init__(self) -> None:
        self.pace = Pace()
        self.running: dict[str, float] = {}

    def read(self, progress: Progress) -> Shown:
        if progress.activity == "training":
            self.pace.mark(progress)
        self.read_running_means(progress)
        if progress.total_epochs is None:
            position = f"step {progress.step:,}/{progress.total_steps:,}"
        else:
            position = _epoch(min(progress.epoch + 1, progress.total_epochs), progress.total_epochs)
        # Copied before the loop: the training thread may add a metric meanwhile.
        latest = progress.metrics.copy().items()
        held_out = {name: value for name, value in latest if not name.startswith(("train/", "step/"))}
        metrics = [*_describe(self.running), *_describe(held_out)]
        fraction = progress.step / max(progress.total_steps, 1)
        return Shown(position, fraction, self.pace.describe(progress), progress.activity, metrics)

    def read_running_means(self, progress: Progress) -> None:
        """Read the current epoch's means.

        On a GPU only this thread waits for the queued kernels (torch releases the interpreter meanwhile).
        """
        try:
            means = progress.sums.compute()
        except RuntimeError:  # The device failed. The training thread reports it; keep the last values.
            return
        if means:  # Empty between two epochs.
            self.running = means


class Pace:
    """The speed of a training, from time marks.

    The speed is that of the last ten seconds. The time left is estimated from all steps after the first mark with a
    step, since the first step compiles kernels and loads libraries; it includes evaluations, as more will follow.
    """

    WINDOW_SECONDS = 10.0

    def __init__(self) -> None:
        self._marks: list[tuple[float, int, int]] = []  # seconds, steps, samples
        self._first: tuple[float, int, int] | None = None
        self._warm: tuple[float, int, int] | None = None  # The first mark after a step.

    def mark(self, progress: Progress) -> None:
        now = time.perf_counter()
        mark = (now, progress.step, progress.samples)
        self._first = self._first or mark
        if self._warm is None and progress.step > self._first[1]:
            self._warm = mark
        self._marks.append(mark)
        while len(self._marks) > 2 and self._marks[1][0] < now - self.WINDOW_SECONDS:
            self._marks.pop(0)

    def describe(self, progress: Progress) -> list[str]:
        """Such as ["12,300 samples/s", "0:00:12 left"]; empty before the first step."""
        if self._first is None or self._warm is None:
            return []
        (start, _, samples_before), (now, steps, samples) = self._marks[0], self._marks[-1]
        speed = (samples - samples_before) / max(now - start, 1e-9)
        base = self._warm if steps > self._warm[1] else self._first
        seconds_per_step = (now - base[0]) / max(steps - base[1], 1)
        left = max(progress.total_steps - steps, 0) * seconds_per_step
        return [f"{speed:,.0f} {progress.unit}/s", f"{timedelta(seconds=round(left))} left"]


def _epoch(epoch: int, total: int) -> str:
    """`epoch 3/30`, right-padded so that the columns of all lines are aligned."""
    return f"epoch {epoch}/{total}".ljust(len(f"epoch {total}/{total}"))


def _describe(metrics: dict[str, float]) -> list[str]:
    """`name value` of each metric; learning rates are shown only in metrics.jsonl and the curves."""
    shown = {name: value for name, value in metrics.items() if not name.split("/")[-1].startswith("lr")}
    return [f"{name.replace('step/', 'train/')} {numeral(float(value))}" for name, value in shown.items()]
