"""The perceptron's learning rule, without gradients."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.declarations.component import Positive, register, requires
from dltool.declarations.processes import needs_one_process
from dltool.metrics.accuracy import accuracy, predicted_classes
from dltool.metrics.mean import Mean
from dltool.metrics.total import Total
from dltool.models.perceptron import Perceptron
from dltool.tasks.predictions import Prediction
from dltool.tasks.task import Source, Task, Updater, no_frozen_parameters


@register("task", "rosenblatt", loss_for=None)
@requires(
    lambda config: config.data.targets in ("binary", "auto"),
    "the perceptron rule separates two classes, but the data's targets are not binary",
    hint="data=logic",
)
@no_frozen_parameters
@needs_one_process  # It corrects the weights after each sample.
class RosenblattTask(Task):
    """w ← w + lr (y - ŷ) x and b ← b + lr (y - ŷ), one sample at a time (Rosenblatt 1962).

    A sample that is classified correctly changes nothing. If some unit vector separates the classes with
    margin γ and all samples, with their constant 1 for b, have norm at most R, there are at most (R/γ)² mistakes in
    total, in any order (Novikoff 1962); if none does, the mistakes never stop. Since the weights start at zero, lr
    scales them and changes no prediction. The batch is only a part of the epoch: each sample uses the weights after the
    sample before, so data.batch_size changes nothing.

    Logged in training: "mistakes", summed over the epoch (an epoch with none has separated the classes), and
    "accuracy", the share of the samples that were correct before their update. An evaluation gives "accuracy" with
    fixed weights and "total_mistakes", the number since the start of the training.

    Args:
        lr: Factor of each correction.
    """

    model: Perceptron
    main_metric = ("accuracy", "max")
    metric_directions: ClassVar[dict[str, str]] = {"mistakes": "min", "total_mistakes": "min"}

    def __init__(self, model: Perceptron, loss: None, spec: DataSpec, *, lr: Positive[float] = 1.0) -> None:
        del loss, spec  # The rule has no loss and works for rows of any width.
        super().__init__(model)
        self.roles = {}
        self.lr = lr
        self.total_mistakes = torch.zeros((), dtype=torch.int64)

    @torch.no_grad()
    def train_step(self, source: Source, updaters: Mapping[str, Updater]) -> dict[str, Mean]:
        batch = source.draw()
        weight: Tensor = self.model.linear.weight
        bias: Tensor | None = self.model.linear.bias
        mistakes = torch.zeros_like(batch.targets[0])
        for sample, target in zip(batch.inputs, batch.targets, strict=True):
            error = target - self.model(sample[None])[0, 0]  # -1, 0 or 1.
            weight += self.lr * error * sample
            if bias is not None:
                bias += self.lr * error
            mistakes += error.abs().long()
        self.total_mistakes = self.total_mistakes.to(mistakes.device) + mistakes
        return {"mistakes": Total(mistakes), "accuracy": Mean(batch.size - mistakes, batch.size)}

    def interpret(self, outputs: Tensor) -> Prediction:
        return Prediction(outputs, predicted_classes(outputs).long())

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        outputs = self.model(batch.inputs)
        for watcher in self.watchers:
            watcher.see(batch, outputs)
        return {"accuracy": accuracy(outputs, batch.targets)}

    def finish_evaluation(self, metrics: dict[str, float]) -> dict[str, float]:
        return {**metrics, "total_mistakes": float(self.total_mistakes)}

    def state_dict(self) -> dict[str, Any]:
        return {"total_mistakes": int(self.total_mistakes)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.total_mistakes = torch.tensor(state["total_mistakes"])
