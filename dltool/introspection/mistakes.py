"""Keeps, while a split is measured, what pictures of a classifier need: its surest mistakes, who is taken for whom."""

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
CONFUSION_UP_TO = 100  # Classes; the picture of more could not be read.


class Samples(NamedTuple):
    """Some samples and what the model says of them.

    Attributes:
        inputs: As the model takes them, `(N, C, H, W)`.
        targets, predicted: Their classes, int64 `(N,)`.
        sureness: Of each, the probability of the predicted class; where the outputs stand for none, how far its score
            lies above that of the true class; -inf where the two are the same class.
    """

    inputs: Tensor
    targets: Tensor
    predicted: Tensor
    sureness: Tensor

    def surest(self, count: int) -> "Samples":
        """At most `count` of them, the surest first."""
        best = self.sureness.topk(min(count, len(self.sureness))).indices
        return Samples(*(values[best] for values in self))

    def and_(self, other: "Samples") -> "Samples":
        return Samples(*(torch.cat(pair) for pair in zip(self, other, strict=True)))


@dataclass
class Mistakes:
    """What is seen of a split, batch by batch; nothing waits for an accelerator before it is read.

    Args:
        spec: Of the data.
        interpret: What the model's outputs say of their samples.

    Attributes:
        examples: The first images, `(B, C, H, W)` with B at most 32; None before the first batch.
        example_targets: Their classes.
        num_seen: Samples seen.
        confusion: Which class was taken for which; None where the classes are too many for a picture.
        has_probabilities: Whether the sureness of the samples that are kept is a probability.
    """

    spec: DataSpec
    interpret: Callable[[Tensor], Prediction]

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
        """Take in a batch and what the model says of it, float32 `(B, output_dim)`."""
        if self.confusion is not None:
            self.confusion.update(outputs, batch.targets)
        if self.examples is None:
            self.examples = batch.inputs[:NUM_EXAMPLES].clone()
            self.example_targets = batch.targets[:NUM_EXAMPLES].clone()
        self.num_seen += batch.size
        said = self.interpret(outputs)
        assert said.labels is not None
        predicted, self.has_probabilities = said.labels, said.probabilities is not None
        sureness = sureness_of(said, batch.targets)
        right = predicted == batch.targets
        self._num_wrong = self._num_wrong + right.logical_not().count_nonzero()
        sureness = sureness.masked_fill(right | sureness.isnan(), -torch.inf)
        found = Samples(batch.inputs, batch.targets, predicted, sureness).surest(NUM_KEPT)
        self._kept = found if self._kept is None else self._kept.and_(found).surest(NUM_KEPT)

    @property
    def num_wrong(self) -> int:
        """Samples that were taken for another class."""
        return int(self._num_wrong)

    def surest(self) -> Samples | None:
        """Samples of another class, on the CPU, those of which the model was surest first; None where all are right."""
        if self._kept is None:
            return None
        kept = Samples(*(values.cpu() for values in self._kept))
        wrong = kept.sureness > -torch.inf
        return Samples(*(values[wrong] for values in kept)) if wrong.any() else None


def sureness_of(said: Prediction, targets: Tensor) -> Tensor:
    """See Samples, `(B,)`."""
    outputs, labels, probabilities = said
    if probabilities is not None and labels is not None:
        return probabilities.gather(1, labels[:, None]).squeeze(1)
    if outputs.shape[1] == 1:
        return outputs.squeeze(1).abs()
    return (outputs.amax(1, keepdim=True) - outputs.gather(1, targets[:, None])).squeeze(1)


def watch_mistakes(task: Task, spec: DataSpec) -> Mistakes | None:
    """Have the task's evaluations watched; None where it predicts no classes of images."""
    if not task.predicts_classes or len(spec.input_shape) != 3:
        return None
    mistakes = Mistakes(spec, task.interpret)
    task.watchers.append(mistakes)
    return mistakes
