"""Tagging: a class for each position of a sequence."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.spec import IGNORED, PAD, DataSpec
from dltool.data.preprocessing import Preprocessing
from dltool.declarations.component import register, requires
from dltool.metrics.calibration import calibration_needs_probabilities
from dltool.metrics.mean import Mean, MeanOver
from dltool.tasks.predictions import Prediction
from dltool.tasks.sequence_predictions import TagPredictions
from dltool.tasks.supervised import SupervisedTask
from dltool.tasks.task import Loss
from dltool.text.tokenizer import Tokenizer


@register("task", "tagging", loss_for="data")
@requires(
    lambda config: config.task.l2 not in ("auto", "prior"),
    "the automatic task.l2 counts samples, but the loss of tags is a mean over words",
    hint="task.l2=0",
)
@calibration_needs_probabilities
class TaggingTask(SupervisedTask):
    """Supervised learning in which each word of a text is a sample; padding is ignored.

    In training "loss" and "accuracy" are logged, both averaged over words; an evaluation gives "loss" and `metrics`,
    over all words of the split.
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

    @property
    def probabilities(self) -> Callable[[Tensor], Tensor | None]:
        criterion = self.criterion

        def of_tags(outputs: Tensor) -> Tensor | None:
            """Probability of each tag at each position, `(B, T, K)`."""
            found = criterion.probabilities(outputs.flatten(0, 1))
            return None if found is None else found.view(*outputs.shape[:2], -1)

        return of_tags

    def collect(
        self,
        names: list[str],
        parts: Sequence[Prediction],
        spec: DataSpec,
        preprocessing: Preprocessing,
        tokens: Sequence[Tensor] | None = None,
    ) -> TagPredictions:
        if tokens is None:
            words = [preprocessing.words(name) for name in names]
        else:
            words = [row for batch in tokens for row in words_of(batch, preprocessing.tokenizer)]
        return TagPredictions.of(names, words, parts, spec.class_names)


def words_of(tokens: Tensor, tokenizer: Tokenizer) -> list[list[str]]:
    """The words of each row of tokens `(B, T)`, without the padding."""
    return [[tokenizer.name(token) for token in row if token != PAD] for row in tokens.tolist()]
