"""Compares a supervised model with what can be predicted without one."""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.spec import IGNORED
from dltool.data.dataset import Dataset
from dltool.data.series_layout import Baseline
from dltool.engine.observer import Observer, Progress
from dltool.metrics.accuracy import predicted_classes, predicted_labels
from dltool.tasks.task import Task

NUM_ERRORS = 2.0  # Standard errors of the paired difference by which a model must be better.
TRIVIAL = {
    "numbers": "the mean of the training targets",
    "classes": "the most frequent class",
    "binary": "the most frequent class",
    "labels": "the more frequent value of each label",
    "next_token": "the frequency of each token",
}


class TrivialComparison(Observer):
    """Warns after the final test if the model is not better than a prediction without a model.

    The two are compared sample by sample: squared errors of numbers, hits of classes and labels, -log p of tokens. The
    model must be better by two standard errors of the mean difference. The trivial prediction is that of the training
    split; of several, such as the naive forecasts of a series, it is the one with the smallest error.

    Args:
        warn: Prints a line for the user.
        dataset: The data, which makes the trivial prediction.
    """

    split = "test"

    def __init__(self, warn: Callable[[str], None], dataset: Dataset) -> None:
        self.warn = warn
        self.dataset = dataset
        self._task: Task | None = None
        self._baselines: list[Baseline] = []
        self.start()

    def on_start(self, task: Task, progress: Progress) -> None:
        if is_compared(task, self.dataset) and self.split in self.dataset.sizes:
            self._task = task
            task.watchers.append(self)

    def on_end(self) -> None:
        if self._task is not None:
            self._task.watchers.remove(self)

    def start(self) -> None:
        """Begin a split."""
        self._pairs: dict[str, list[Tensor]] = {}
        self._seen = 0

    def see(self, batch: Batch, outputs: Tensor) -> None:
        """Keep the error of the model and of the trivial prediction for each sample of the split."""
        if self._task is None or self._task.split != self.split:
            return
        if not self._pairs:
            self._baselines = self.dataset.baselines(self.split)
        target, first = self.dataset.spec.target, self._seen
        self._seen += batch.size
        for name, trivial in self._trivial(batch, first):
            errors = paired_errors(target, outputs.detach().float(), batch.targets, trivial)
            self._pairs.setdefault(name, []).append(errors)

    def _trivial(self, batch: Batch, first: int) -> list[tuple[str, Tensor]]:
        """The trivial predictions for a batch, whose first sample has the position `first`, with their descriptions."""
        if self._baselines:
            rows = slice(first, first + batch.size)
            return [(one.description, one.values[rows].to(batch.targets.device)) for one in self._baselines]
        found = self.dataset.trivial_prediction(batch.inputs)
        return [] if found is None else [(TRIVIAL[self.dataset.spec.target], found)]

    def on_record(self, record: dict[str, Any]) -> None:
        if record["split"] != self.split or not self._pairs:
            return
        joined = {name: torch.cat(pairs).double().cpu() for name, pairs in self._pairs.items()}
        self.start()
        strongest = min(joined, key=lambda name: float(joined[name][:, 1].mean()))
        if not self.is_better(joined[strongest]):
            self.warn(self.describe(joined[strongest], strongest))

    def is_better(self, pairs: Tensor) -> bool:
        """Whether the model's mean error is smaller than the trivial one by more than chance explains."""
        gain = pairs[:, 1] - pairs[:, 0]
        if not self.dataset.held_out:  # These are all samples that exist.
            return bool(gain.mean() > 0)
        error = gain.std() / math.sqrt(len(gain)) if len(gain) > 1 else torch.tensor(math.inf)
        return bool(gain.mean() > NUM_ERRORS * error) or bool(error == 0 < gain.mean())

    def describe(self, pairs: Tensor, trivial_name: str) -> str:
        target = self.dataset.spec.target
        model, trivial = pairs.mean(0).tolist()
        if target in ("classes", "binary"):
            values = f"accuracy {1 - model:.4f}, and {1 - trivial:.4f} without a model"
        elif target == "labels":
            values = f"label accuracy {1 - model:.4f}, and {1 - trivial:.4f} without a model"
        elif target == "numbers":
            values = f"its mean squared error is {model / trivial:.3g} of that" if trivial else "which is exact"
        else:
            values = f"loss {model:.4f}, and {trivial:.4f} without a model"
        unit = "tokens" if target == "next_token" else "samples"
        return (
            f"test: the model is not better than predicting {trivial_name}, by two standard errors: {values} "
            f"({len(pairs):,} test {unit})"
        )


def is_compared(task: Task, dataset: Dataset) -> bool:
    """Whether the task predicts a class, labels or numbers for each sample, or the next token."""
    match dataset.spec.target:
        case "classes" | "binary":
            return task.predicts_classes
        case "labels":
            return task.predicts
        case "numbers":
            return task.predicts
        case "next_token":
            return "continue" in task.uses
    return False


def paired_errors(target: str, outputs: Tensor, targets: Tensor, trivial: Tensor) -> Tensor:
    """The error of the outputs and of the trivial prediction for each sample or token, `(N, 2)`."""
    if target == "numbers":
        pair = [(predicted - targets).square().flatten(1).mean(1) for predicted in (outputs, trivial)]
    elif target == "next_token":
        kept = targets.flatten() != IGNORED
        tokens = targets.flatten()[kept]
        pair = [F.cross_entropy(outputs.flatten(0, 1)[kept], tokens, reduction="none"), -trivial[tokens]]
    elif target == "labels":
        pair = [(found != targets.bool()).float().mean(1) for found in (predicted_labels(outputs), trivial.bool())]
    else:
        pair = [(predicted != targets).float() for predicted in (predicted_classes(outputs), trivial)]
    return torch.stack(pair, dim=1)
