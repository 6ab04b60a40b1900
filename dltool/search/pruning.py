"""Ends trials with poor learning curves early."""

from typing import Any

from optuna.trial import Trial

from dltool.engine.observer import Observer, Progress
from dltool.tasks.task import Task


class Pruning(Observer):
    """Reports each evaluation of the monitored metric to the study, and asks to stop if the pruner decides so.

    Args:
        trial: The study's trial for this training.
        metric: Such as "val/accuracy".
    """

    def __init__(self, trial: Trial, metric: str) -> None:
        self.trial = trial
        self.metric = metric
        self.progress = Progress()

    def on_start(self, task: Task, progress: Progress) -> None:
        self.progress = progress

    def on_record(self, record: dict[str, Any]) -> None:
        if self.metric not in record or record["split"] == "test" or self.progress.stop_request:
            return
        # A resource that all trials share: epochs, or steps if the training's length is given in steps.
        time = self.progress.step if self.progress.total_epochs is None else self.progress.epoch
        self.trial.report(record[self.metric], time)
        is_over = self.progress.step >= self.progress.total_steps
        if not is_over and self.trial.should_prune():
            self.progress.stop_request = "pruned"
