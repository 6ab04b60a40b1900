"""The cloze task: predict masked words from the words on both sides."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.core.randomness import generator
from dltool.core.spec import IGNORED, DataSpec
from dltool.data.preprocessing import Preprocessing
from dltool.declarations.component import Probability, register
from dltool.losses.criterion import Criterion
from dltool.metrics.mean import Mean, MeanOver
from dltool.tasks.language_model import measured_tokens, token_loss, with_perplexity
from dltool.tasks.predictions import Prediction
from dltool.tasks.sequence_predictions import ClozePredictions
from dltool.tasks.task import Loss, Task
from dltool.text.fitting import load_tokenizer


@register("task", "cloze", loss_for="data")
class ClozeTask(Task):
    """Minimize -log p(masked token | all others), the mean over the masked tokens.

    The masked language model of Devlin et al. 2019 (arXiv:1810.04805, section 3.1), after the cloze of Taylor 1953, for
    bidirectional networks. Every masked token becomes `<unk>`, which is otherwise unused in this data; BERT leaves a
    tenth of them unchanged and replaces another tenth by random tokens. A batch's first token is always masked, so that
    at least one is.

    In training "loss" is logged; an evaluation, whose masks are the same each time, gives "loss", "accuracy" and
    "perplexity" of the masked tokens.

    Args:
        masked: Fraction of the tokens that is masked.
    """

    uses = ("fill",)
    metric_directions: ClassVar[dict[str, str]] = {"perplexity": "min"}

    def __init__(self, model: nn.Module, loss: Criterion, spec: DataSpec, *, masked: Probability[float] = 0.15) -> None:
        super().__init__(model)
        self.criterion = loss
        self.masked = masked
        self.mask_token = load_tokenizer(spec.target_tokenizer).unknown
        self.num_evaluated = 0

    def loss(self, batch: Batch) -> Loss:
        hidden = torch.rand(batch.inputs.shape, device=batch.inputs.device) < self.masked
        inputs, targets = self.hide(batch.inputs, batch.targets, hidden)
        mean, count = token_loss(self.criterion, self.model(inputs), targets)
        return Loss(mean, count, {"loss": MeanOver(mean.detach(), count)})

    def start_evaluation(self) -> None:
        super().start_evaluation()
        self.num_evaluated = 0

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        chances = torch.rand(batch.inputs.shape, generator=generator(0, "cloze", self.num_evaluated))
        self.num_evaluated += 1
        inputs, targets = self.hide(batch.inputs, batch.targets, chances.to(batch.inputs.device) < self.masked)
        return measured_tokens(self.criterion, self.model(inputs), targets)

    def finish_evaluation(self, metrics: dict[str, float]) -> dict[str, float]:
        return with_perplexity(metrics, in_characters=False)

    def predict(self, inputs: Tensor) -> Prediction:
        """Predict the token of each masked position, of all texts `(B, T)` in order: `(N, V)`."""
        outputs = self.model(inputs)[inputs == self.mask_token].float()
        return Prediction(outputs, outputs.argmax(dim=1), torch.softmax(outputs, dim=1))

    def collect(
        self,
        names: list[str],
        parts: Sequence[Prediction],
        spec: DataSpec,
        preprocessing: Preprocessing,
        tokens: Sequence[Tensor] | None = None,
    ) -> ClozePredictions:
        return ClozePredictions.of(names, parts, preprocessing.tokenizer)

    def hide(self, tokens: Tensor, following: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs with the hidden tokens masked, and those tokens as targets, IGNORED elsewhere; padding is kept."""
        hidden[0, 0] = True
        hidden = hidden & (following != IGNORED)  # Positions without a next token are padding.
        return tokens.masked_fill(hidden, self.mask_token), tokens.masked_fill(~hidden, IGNORED)
