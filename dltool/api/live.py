"""The display of a training in a notebook: a bar and the curves, which are updated in place."""

import contextvars
import html
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dltool.api.chart import curve_images
from dltool.core.language import wanted_language
from dltool.core.titles import training_title
from dltool.engine.observer import Observer, Outcome, Progress
from dltool.figures.curves import Curves, collect_curves
from dltool.observers.progress import Reading, Shown
from dltool.report.document import thinned
from dltool.report.words import word
from dltool.runs.records import read_records
from dltool.tasks.task import Task

SECONDS_BETWEEN_UPDATES = 0.5
MOST_POINTS = 3000  # Of a curve; a longer one is thinned, so that drawing takes milliseconds however long it is.
BAR_WIDTH = 30  # Characters of the bar, where only text is shown.


class LiveDisplay(Observer):
    """One output of the cell, redrawn twice a second by a thread of its own; a training of fast steps is not slowed.

    Args:
        config: The config of the training, for its title and its settings.
        metrics: The log of a run that is resumed, whose curves begin there.
    """

    def __init__(self, config: Mapping[str, Any], metrics: Path | None = None) -> None:
        self.title = training_title(config["model"]["name"], config["data"]["name"], wanted_language())
        template = "batches of {batch}, seed {seed}"
        if "lr" in config["optim"]:
            template = "learning rate {rate}, " + template
        values = {"rate": config["optim"].get("lr"), "batch": config["data"].get("batch_size"), "seed": config["seed"]}
        self.settings = word(template, **values)
        self.metrics = metrics
        self.progress = Progress()
        self.curves: Curves = {}
        self.reading = Reading()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._handle: Any = None

    @property
    def steps_per_epoch(self) -> float | None:
        progress = self.progress
        return progress.total_steps / progress.total_epochs if progress.total_epochs else None

    def on_start(self, task: Task, progress: Progress) -> None:
        from IPython.display import DisplayHandle

        self.progress = progress
        self.reading.pace.mark(progress)
        for record in read_records(self.metrics) if self.metrics else ():
            self.on_record(record)
        self._handle = DisplayHandle()
        self._handle.display(self.drawn(), raw=True)
        # The kernel finds the cell of an output by a context variable.
        run = contextvars.copy_context().run
        self._thread = threading.Thread(target=run, args=(self.redraw,), name="notebook display", daemon=True)
        self._thread.start()

    def on_record(self, record: dict[str, Any]) -> None:
        with self._lock:
            for name, splits in collect_curves([record], self.steps_per_epoch or 1.0).items():
                for split, points in splits.items():
                    kept = self.curves.setdefault(name, {}).setdefault(split, [])
                    kept.extend(points)
                    if len(kept) > MOST_POINTS:
                        kept[:] = thinned(dict(kept)).items()

    def on_end(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def on_outcome(self, outcome: Outcome) -> None:
        if self._handle is not None:  # Not if the training failed before its first step.
            self._handle.update(self.drawn(word(outcome.state)), raw=True)

    def redraw(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_UPDATES):
            self._handle.update(self.drawn(), raw=True)

    def drawn(self, state: str = "") -> dict[str, str]:
        """The display as text and as HTML.

        Args:
            state: How the training ended; empty while it goes on.
        """
        shown = self.reading.read(self.progress)
        filled = round(BAR_WIDTH * min(shown.fraction, 1))
        words = self.words(shown, state)
        text = (
            f"{self.title}  [{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {shown.fraction:.0%}  {words[0]}\n{words[1]}"
        )
        with self._lock:
            images = curve_images(self.curves, "epoch" if self.steps_per_epoch else "step")
        lines = "".join(f'<div style="white-space:pre-wrap">{html.escape(line)}</div>' for line in words)
        small = f"{self.settings}, {word('step')} {self.progress.step:,}"
        page = (
            f"<div><b>{html.escape(self.title)}</b> &nbsp;"
            f'<progress value="{shown.fraction:.4f}" max="1" style="width:24em"></progress> {shown.fraction:.0%}</div>'
            f"{lines}<div>{images}</div><div><small>{html.escape(small)}</small></div>"
        )
        return {"text/plain": text, "text/html": page}

    def words(self, shown: Shown, state: str) -> tuple[str, str]:
        """The line of the position, and that of the metrics."""
        if state:
            return f"{state}, {shown.position.strip()}", "  ".join(shown.metrics)
        return "  ".join([shown.position.strip(), *shown.pace]), "  ".join([shown.activity, *shown.metrics])
