"""What watches a training: progress, logs, plots, samples. Observers may ask it to stop; they touch no gradient.

Your own is a class behind --trust, `dltool train --trust my.py observer=weight_norms observer.every=2`:

    from dltool.declarations.component import Positive, register
    from dltool.engine.observer import Observer, Progress, Watched
    from dltool.tasks.task import Task

    @register("observer", "weight_norms")
    class WeightNorms(Observer):
        def __init__(self, watched: Watched, *, every: Positive[int] = 1) -> None:
            self.file = watched.folder / "weight_norms.csv"
            self.every = every

        def on_start(self, task: Task, progress: Progress) -> None:
            self.task, self.progress = task, progress

        def on_epoch(self) -> None:
            if self.progress.epoch % self.every == 0:
                norm = sum(p.detach().square().sum() for p in self.task.model.parameters()) ** 0.5
                with self.file.append() as lines:
                    lines.write(f"{self.progress.epoch},{float(norm):.6g}\\n".encode())

What stands behind the `*` are keys of the config. An observer may hold others and hand its events on, which is how a
training has several. One that raises ends the training as failed, with the file and the line.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from dltool.core.batch import Batch
from dltool.core.safe_path import SafePath
from dltool.core.spec import DataSpec
from dltool.metrics.running_means import RunningMeans
from dltool.tasks.task import Task


@dataclass
class Progress:
    """Where the training stands; the Trainer writes it, observers read it at any time.

    Attributes:
        step: train_steps taken since the very first one, resumed parts included.
        epoch: Passes over the training data that are finished and evaluated.
        samples: Training samples, or tokens, seen since this process started.
        unit: Which of the two.
        total_steps: Steps after which the training ends by its length.
        total_epochs: Passes after which it ends, or None where it is measured in steps.
        sums: Running sums of the present epoch, "loss" and the task's own.
        activity: What happens now: "training", "evaluating", "saving".
        metrics: Latest value of each `split/name`.
        stop_request: An observer may set it to a word such as "pruned": the training then ends after this step
            as at its normal end, and the word becomes its `stopped_by`.
    """

    step: int = 0
    epoch: int = 0
    samples: int = 0
    unit: str = "samples"
    total_steps: int = 0
    total_epochs: int | None = None
    sums: RunningMeans = field(default_factory=RunningMeans)
    activity: str = "training"
    metrics: dict[str, float] = field(default_factory=dict)
    stop_request: str | None = None


@dataclass(frozen=True)
class Watched:
    """What an observer is built with: the training that it is to watch, before it has begun.

    Attributes:
        folder: The run folder; `watched.folder / "notes.txt"` is a file in it, with write() and append().
        spec: What the data looks like: shapes, class names.
        title: What is trained, such as "lenet on digits".
        held_out: Gives the first held-out samples, at least so many where there are, as one batch, not augmented.
        warn: Says a line to the user, and writes it to log.txt.
    """

    folder: SafePath
    spec: DataSpec
    title: str
    held_out: Callable[[int], Batch]
    warn: Callable[[str], None]


class Outcome(NamedTuple):
    """How a training ended.

    Attributes:
        stopped_by: Where it finished, "epochs", "steps", the key below `stop` of the rule that fired, or an observer's
            word such as "pruned".
        stop_reason: What that rule saw, in words.
        tested: The checkpoint whose weights the test metrics belong to.
        error: What ended it, where it failed.
    """

    state: Literal["finished", "interrupted", "failed"]
    stopped_by: str | None = None
    stop_reason: str | None = None
    tested: str | None = None
    error: str | None = None


class Observer:
    """Does nothing at each event; subclasses override what they watch.

    There is no event per step: what moves that fast is read from `progress` by a timer.

    Attributes:
        every_n_steps: Steps between two calls of `on_steps`; None for none.
    """

    every_n_steps: int | None = None

    def __init__(self, watched: Watched | None = None) -> None:
        """A subclass that looks at more than the events keeps what it needs of the training."""

    def on_create(self) -> None:
        """The folder of a new run is made; its config.yaml is written next, and a resumed run has this behind it."""

    def on_start(self, task: Task, progress: Progress) -> None:
        """Before the first step of this process."""

    def on_record(self, record: dict[str, Any]) -> None:
        """A line of metrics.jsonl: {"step", "epoch", "split", "<split>/<name>": value, …}."""

    def on_steps(self) -> None:
        """`every_n_steps` more steps are taken."""

    def on_epoch(self) -> None:
        """A pass is finished and evaluated; `progress.epoch` counts it already."""

    def before_checkpoint(self) -> None:
        """A checkpoint is about to be written; what it counts on must be on the disk."""

    def on_end(self) -> None:
        """After the last step, also when the training failed or was interrupted."""

    def on_outcome(self, outcome: Outcome) -> None:
        """How the training ended: the last event, after the on_end of all observers."""
