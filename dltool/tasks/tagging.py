"""Tagging: a class for each position of a sequence."""

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.spec import IGNORED
from dltool.declarations.component import register
from dltool.metrics.calibration import calibration_needs_probabilities
from dltool.metrics.mean import Mean, MeanOver
from dltool.tasks.supervised import SupervisedTask
from dltool.tasks.task import Loss, Prediction


@register("task", "tagging", loss_for="data")
@calibration_needs_probabilities
class TaggingTask(SupervisedTask):
    """Supervised learning in which each word of a text is a sample; padding is none.

    In training "loss" and "accuracy" are logged, both by words; an evaluation gives "loss" and `metrics`, over all
    words of the split.
    """

    def loss(self, batch: Batch) -> Loss:
        outputs = self.model(batch.inputs).float()
        words, tags = outputs.flatten(0, 1), batch.targets.flatten()
        objective, count = self.criterion(words, tags)
        real = tags != IGNORED
        hits = (words.detach().argmax(dim=1) == tags).sum()
        logs = {"loss": MeanOver(objective.detach(), count), "accuracy": Mean(hits, real.sum())}
        return self.penalized(objective, count, logs)

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        outputs = self.model(batch.inputs).float()
        real = batch.targets != IGNORED
        words, tags = outputs[real], batch.targets[real]  # (N, K), (N,)
        mean, count = self.criterion(words, tags)
        for metric in self.metrics.values():
            metric.update(words, tags)
        for watcher in self.watchers:
            watcher.see(batch, outputs)
        return {"loss": MeanOver(mean, count)}

    def interpret(self, outputs: Tensor) -> Prediction:
        """A tag for each position, padding included: labels `(B, T)`, probabilities `(B, T, K)`."""
        return Prediction(outputs, outputs.argmax(dim=2), torch.softmax(outputs, dim=2))
