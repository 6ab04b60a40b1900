"""Sequence to sequence: from a text or an image to a text."""

import copy
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.core.spec import BEGIN, IGNORED, PAD, DataSpec
from dltool.data.mixing import no_mixing
from dltool.data.preprocessing import Preprocessing
from dltool.declarations.component import EvaluationOnly, NonNegative, Positive, register
from dltool.decoding.beam_search import beam_search, greedy_search
from dltool.losses.criterion import Criterion
from dltool.metrics.bleu import until_end
from dltool.metrics.mean import Mean, MeanOver
from dltool.tasks.language_model import measured_tokens, token_loss, with_perplexity
from dltool.tasks.outputs import DecodedText, Network, Trial
from dltool.tasks.predictions import Prediction
from dltool.tasks.sequence_predictions import TextPredictions
from dltool.tasks.task import Loss, Task
from dltool.text.fitting import load_tokenizer


@register("task", "translation", loss_for="data")
@no_mixing
class TranslationTask(Task):
    """Minimize -log p(target | source), the mean over the target's tokens, each given the true ones before it.

    That is teacher forcing (Williams and Zipser 1989; Sutskever et al. 2014, arXiv:1409.3215, equation 1). In training
    "loss" is logged. An evaluation gives "loss", "accuracy" and "perplexity" of tokens with teacher forcing, and
    `metrics` of the texts that the model generates.

    Args:
        metrics: "exact_match" is the share of texts that are generated without a mistake, "bleu" the corpus BLEU of
            sacrebleu (Post 2018, arXiv:1804.08771; the extra text) on the decoded tokens, where an unknown word is
            never correct. Each requires generating all texts.
        beam: Beam width; 1 always takes the likeliest token.
        length_penalty: α of Wu et al. 2016, equation 14; 0 favours short texts.
        max_length: Largest number of generated tokens; null is the length of the longest target.
    """

    uses = ("write",)
    model_methods = ("encode", "decode", "select", "select_memory")
    metric_directions: ClassVar[dict[str, str]] = {"perplexity": "min"}

    def __init__(
        self,
        model: nn.Module,
        loss: Criterion,
        spec: DataSpec,
        *,
        metrics: EvaluationOnly[list[Literal["exact_match", "bleu"]]] = ["exact_match"],  # noqa: B006 (read only)
        beam: EvaluationOnly[Positive[int]] = 1,
        length_penalty: EvaluationOnly[NonNegative[float]] = 0.6,
        max_length: EvaluationOnly[Positive[int] | None] = None,
    ) -> None:
        super().__init__(model)
        self.translator: Any = model  # See dltool.decoding.beam_search.EncoderDecoder.
        self.criterion = loss
        self.spec = spec
        self.metric_names = metrics
        self.beam = beam
        self.length_penalty = length_penalty
        self.max_length = max_length or spec.max_target_length - 1  # BEGIN is not generated.
        self.tokenizer = load_tokenizer(spec.target_tokenizer)
        self.main_metric = ("exact_match", "max") if "exact_match" in metrics else ("loss", "min")

    def trial(self, spec: DataSpec) -> Trial | None:
        source = torch.ones(1, *spec.input_shape, dtype=torch.int64 if spec.num_tokens else torch.float32)
        return Trial((source, torch.full((1, 2), BEGIN)), (2,))

    def loss(self, batch: Batch) -> Loss:
        outputs = self.model(batch.inputs, batch.targets[:, :-1])
        mean, count = token_loss(self.criterion, outputs, expected(batch.targets))
        return Loss(mean, count, {"loss": MeanOver(mean.detach(), count)})

    @property
    def evaluation_adds_up(self) -> bool:
        return self.only_sums_metrics

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        outputs = self.model(batch.inputs, batch.targets[:, :-1])
        means = measured_tokens(self.criterion, outputs, expected(batch.targets))
        if self.metrics or self.watchers:
            written = self.write(batch.inputs)
            for metric in self.metrics.values():
                metric.update(written, batch.targets[:, 1:])
            for watcher in self.watchers:
                watcher.see(batch, written)
        return means

    def finish_evaluation(self, metrics: dict[str, float]) -> dict[str, float]:
        return with_perplexity(metrics, in_characters=False) | self.computed_metrics()

    def searching(self, beam: int | None = None, length_penalty: float | None = None) -> Self:
        """The same task with another beam width or length penalty."""
        other = copy.copy(self)
        other.beam = self.beam if beam is None else beam
        other.length_penalty = self.length_penalty if length_penalty is None else length_penalty
        return other

    def write(self, source: Tensor) -> Tensor:
        """Generate texts, int64 `(B, U)`: tokens with END, then PAD."""
        if self.beam == 1:
            return greedy_search(self.translator, source, self.max_length, alpha=self.length_penalty).tokens
        return beam_search(self.translator, source, self.max_length, beam=self.beam, alpha=self.length_penalty).tokens

    def texts(self, tokens: Tensor) -> list[str]:
        """Rows of tokens as text, up to END."""
        return [self.tokenizer.decode(until_end(row)) for row in tokens.tolist()]

    @property
    def networks(self) -> dict[str, Network]:
        gives = "after each token of target_inputs, a score for each possible next token"
        return {"model": Network(self.model, gives=gives, reads_target=True)}

    def predict(self, inputs: Tensor) -> Prediction:
        return Prediction(self.write(inputs))

    def interpret(self, outputs: Tensor) -> Prediction:
        """The generated tokens are the prediction."""
        return Prediction(outputs)

    def collect(
        self,
        names: list[str],
        parts: Sequence[Prediction],
        spec: DataSpec,
        preprocessing: Preprocessing,
        tokens: Sequence[Tensor] | None = None,
    ) -> TextPredictions:
        sources = [preprocessing.tokenizer.decode(row) for batch in tokens or () for row in batch.tolist()]
        return TextPredictions.of(names, sources, parts, spec)

    def decoded_text(self, source: Tensor) -> DecodedText:
        tokens = self.write(source)[0].tolist()  # A single text has no padding.
        inputs = [BEGIN, *tokens[:-1]]
        read, written = ([self.tokenizer.name(token) for token in row] for row in (inputs, tokens))
        return DecodedText(torch.tensor([inputs], device=source.device), read, written)


def expected(targets: Tensor) -> Tensor:
    """The next token of each token of `(B, U)` except the last: `(B, U - 1)`, IGNORED after END."""
    following = targets[:, 1:]
    return following.masked_fill(following == PAD, IGNORED)
