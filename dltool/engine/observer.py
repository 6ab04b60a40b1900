"""What watches a training: progress, logs, plots, samples. Observers may ask it to stop; they touch no gradient."""

from dataclasses import dataclass, field
from typing import Any

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


class Observer:
    """Does nothing at each event; subclasses override what they watch.

    There is no event per step: what moves that fast is read from `progress` by a timer.

    Attributes:
        every_n_steps: Steps between two calls of `on_steps`; None for none.
    """

    every_n_steps: int | None = None

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
