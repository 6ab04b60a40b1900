"""Keeps the data for a classifier's figures during an evaluation: its most confident mistakes, the confusion matrix."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.metrics.confusion import Confusion
from dltool.tasks.task import Prediction, Task

NUM_KEPT = 25
NUM_EXAMPLES = 32
CONFUSION_UP_TO = 100  # Classes; a figure with more would be unreadable.


class Samples(NamedTuple):
    """Some samples and the model's predictions for them.

    Attributes:
        inputs: Model inputs, `(N, C, H, W)`.
        targets, predicted: Their true and predicted classes, int64 `(N,)`.
        sureness: The probability of the predicted class; if the outputs are not probabilities, the difference of its
            score and that of the true class; -inf if the two classes are the same.
    """

    inputs: Tensor
    targets: Tensor
    predicted: Tensor
    sureness: Tensor

    def surest(self, count: int) -> "Samples":
        """At most `count` of them, the most confident first."""
        best = self.sureness.topk(min(count, len(self.sureness))).indices
        return Samples(*(values[best] for values in self))

    def and_(self, other: "Samples") -> "Samples":
        return Samples(*(torch.cat(pair) for pair in zip(self, other, strict=True)))


@dataclass
class Mistakes:
    """Mistakes in a split, collected batch by batch; an accelerator is not synchronized before they are read.

    Args:
        spec: The spec of the data.
        interpret: Converts the model's outputs to predictions.

    Attributes:
        examples: The first images, `(B, C, H, W)` with B at most 32; None before the first batch.
        example_targets: Their classes.
        num_seen: The number of samples so far.
        confusion: The confusion matrix; None if there are too many classes for a figure.
        has_probabilities: Whether the sureness of the kept samples is a probability.
    """

    spec: DataSpec
    interpret: Callable[[Tensor], Prediction]
    split: None = None

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Before the first batch of a split."""
        self.examples: Tensor | None = None
        self.example_targets: Tensor | None = None
        self.num_seen = 0
        self._num_wrong: Tensor | int = 0
        self.has_probabilities = False
        self.confusion = Confusion(self.spec) if self.spec.num_classes <= CONFUSION_UP_TO else None
        self._kept: Samples | None = None

    def see(self, batch: Batch, outputs: Tensor) -> None:
        """Add a batch and the model's outputs for it, float32 `(B, output_dim)`."""
        if self.confusion is not None:
            self.confusion.update(outputs, batch.targets)
        if self.examples is None:
            self.examples = batch.inputs[:NUM_EXAMPLES].clone()
            self.example_targets = batch.targets[:NUM_EXAMPLES].clone()
        self.num_seen += batch.size
        prediction = self.interpret(outputs)
        assert prediction.labels is not None
        predicted, self.has_probabilities = prediction.labels, prediction.probabilities is not None
        sureness = sureness_of(prediction, batch.targets)
        right = predicted == batch.targets
        self._num_wrong = self._num_wrong + right.logical_not().count_nonzero()
        sureness = sureness.masked_fill(right | sureness.isnan(), -torch.inf)
        found = Samples(batch.inputs, batch.targets, predicted, sureness).surest(NUM_KEPT)
        self._kept = found if self._kept is None else self._kept.and_(found).surest(NUM_KEPT)

    @property
    def num_wrong(self) -> int:
        """The number of misclassified samples."""
        return int(self._num_wrong)

    def surest(self) -> Samples | None:
        """Misclassified samples on the CPU, the most confident first; None if all are right."""
        if self._kept is None:
            return None
        kept = Samples(*(values.cpu() for values in self._kept))
        wrong = kept.sureness > -torch.inf
        return Samples(*(values[wrong] for values in kept)) if wrong.any() else None


def sureness_of(prediction: Prediction, targets: Tensor) -> Tensor:
    """The attribute `sureness` of Samples, `(B,)`."""
    outputs, labels, probabilities = prediction
    if probabilities is not None and labels is not None:
        return probabilities.gather(1, labels[:, None]).squeeze(1)
    if outputs.shape[1] == 1:
        return outputs.squeeze(1).abs()
    return (outputs.amax(1, keepdim=True) - outputs.gather(1, targets[:, None])).squeeze(1)


def watch_mistakes(task: Task, spec: DataSpec) -> Mistakes | None:
    """Collect the mistakes of the task's evaluations; None if the task does not classify images."""
    if not task.predicts_classes or len(spec.input_shape) != 3:
        return None
    mistakes = Mistakes(spec, task.interpret)
    task.watchers.append(mistakes)
    return mistakes
