"""Observers of a training: progress, logs, plots, samples. They may ask it to stop; they do not change gradients.

Your own observer is a class loaded with --trust, `dltool train --trust my.py observer=weight_norms observer.every=2`:

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

`dltool init --example observer` writes another one. The arguments after the `*` are config keys. To have several, an
observer may hold others and pass its events on to them. An exception in an observer ends the training as failed, and
the error names the file and the line.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from dltool.core.batch import Batch
from dltool.core.safe_path import SafePath
from dltool.core.spec import DataSpec
from dltool.engine.stopping import Stopping
from dltool.figures.words import figure_title
from dltool.metrics.running_means import RunningMeans
from dltool.tasks.task import Task


@dataclass
class Progress:
    """The progress of the training; the Trainer writes it, observers may read it at any time.

    Attributes:
        step: Steps taken since the start of the training, including those before a resume.
        epoch: Epochs that are finished and evaluated.
        samples: Training samples or tokens processed since this process started.
        unit: The unit of `samples`: "samples" or "tokens".
        total_steps: Steps after which the training ends by its length.
        total_epochs: Epochs after which it ends, or None if its length is given in steps.
        sums: Running sums of the current epoch: "loss" and the task's own.
        activity: The current activity: "training", "evaluating", "saving".
        metrics: Latest value of each `split/name`.
        stop_request: An observer may set it to a word such as "pruned": the training then ends after this step
            as at its normal end, and the word becomes its `stopped_by`.
        stop_reason: Why, as text for the user.
        stopping: The values that the stopping rules compare with their thresholds; see Stopping.quantities.
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
    stop_reason: str = "an observer asked for it"
    stopping: Stopping = field(default_factory=Stopping)

    def epochs_between(self, count: int) -> int:
        """Epochs between two of about `count` events in the whole training, also if its length is given in steps."""
        total = self.total_epochs or self.total_steps * self.epoch / max(self.step, 1)
        return max(math.ceil(total / count), 1)


@dataclass(frozen=True)
class Watched:
    """The training that an observer is built for, before it has begun.

    Attributes:
        folder: The run folder; `watched.folder / "notes.txt"` is a file in it, with write() and append().
        spec: Describes the data: shapes, class names.
        model, data: Their names.
        held_out: Returns the first held-out samples as one batch, not augmented: at least the number requested, or
            all if there are fewer.
        warn: Prints a warning for the user, and writes it to log.txt.
        note: The same for a line that is no warning.
    """

    folder: SafePath
    spec: DataSpec
    model: str
    data: str
    held_out: Callable[[int], Batch]
    warn: Callable[[str], None]
    note: Callable[[str], None] = print

    @property
    def title(self) -> str:
        """The title of the training in the language of the figures, such as "lenet on digits"."""
        return figure_title(self.model, self.data)


class Outcome(NamedTuple):
    """How a training ended.

    Attributes:
        stopped_by: If it finished: "epochs", "steps", the key below `stop` of the rule that was satisfied, or an
            observer's word such as "pruned".
        stop_reason: What satisfied that rule, as text.
        tested: The checkpoint whose weights the test metrics belong to.
        error: The error message, if it failed.
    """

    state: Literal["finished", "interrupted", "failed"]
    stopped_by: str | None = None
    stop_reason: str | None = None
    tested: str | None = None
    error: str | None = None


class Observer:
    """Does nothing at each event; subclasses override the events they need.

    There is no event at every step: values that change at each step are read from `progress` by a timer, and the
    steps around which an observer is called are those that its `watches` selects.

    Attributes:
        every_n_steps: Steps between two calls of `on_steps`; None for none.
    """

    every_n_steps: int | None = None

    def __init__(self, watched: Watched | None = None) -> None:
        """A subclass that needs more than the events keeps parts of `watched`."""

    def on_create(self) -> None:
        """The folder of a new run is made; its config.yaml is written next, and a resumed run has this behind it."""

    def on_start(self, task: Task, progress: Progress) -> None:
        """Before the first step of this process."""

    def on_record(self, record: dict[str, Any]) -> None:
        """A line of metrics.jsonl: {"step", "epoch", "split", "<split>/<name>": value, …}."""

    def on_steps(self) -> None:
        """After each `every_n_steps` steps."""

    def watches(self, step: int) -> bool:
        """Whether `before_step` and `after_step` are called around a step, the one after `step` steps."""
        return False

    def before_step(self) -> None:
        """Before a step that it watches. The model has the weights that are trained, not their average."""

    def after_step(self) -> None:
        """After the optimizers' update of a step that it watches."""

    def on_epoch(self) -> None:
        """After an epoch is finished and evaluated; `progress.epoch` already counts it."""

    def before_checkpoint(self) -> None:
        """Before a checkpoint is written; the records that it counts must be on the disk afterwards."""

    def on_end(self) -> None:
        """After the last step, also when the training failed or was interrupted."""

    def on_outcome(self, outcome: Outcome) -> None:
        """How the training ended: the last event, after the on_end of all observers."""

    def lacks_output(self) -> bool:
        """Whether something is missing that this writes in on_outcome, as after a kill; a resume then writes it."""
        return False
