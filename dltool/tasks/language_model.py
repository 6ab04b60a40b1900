"""Language modelling: predict each token from those before it."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.core.spec import IGNORED, DataSpec
from dltool.declarations.component import NonNegative, Positive, PositiveProbability, register
from dltool.decoding.sampling import Rereading, Sampling, sample
from dltool.losses.criterion import Criterion
from dltool.metrics.mean import Mean, MeanOver
from dltool.tasks.outputs import Suggestion, Trial
from dltool.tasks.task import Loss, Task, Updater
from dltool.text.fitting import load_tokenizer
from dltool.text.vocabulary import CharTokenizer


@register("task", "language_model", loss_for="data")
class LanguageModelTask(Task):
    """Minimize -log p(token t + 1 | tokens up to t), averaged over the tokens.

    Where the batches are columns of a stream, a recurrent model continues from the state at the end of the batch
    before, through which no gradient flows: truncated backpropagation through time (Williams and Peng 1990). The state
    is zero at the beginning of each epoch.

    In training "loss" is logged; an evaluation gives "loss", "accuracy", "perplexity" (e to the mean negative
    log-likelihood of a token) and, where tokens are characters, "bits_per_character", all weighted by tokens.
    """

    uses = ("continue",)
    metric_directions: ClassVar[dict[str, str]] = {"perplexity": "min", "bits_per_character": "min"}

    def __init__(self, model: nn.Module, loss: Criterion, spec: DataSpec) -> None:
        super().__init__(model)
        self.criterion = loss
        self.spec = spec
        self.tokens_are_characters = isinstance(load_tokenizer(spec.target_tokenizer), CharTokenizer)
        self.language_model: Any = model  # See dltool.decoding.sampling.LanguageModel.
        self.carries_state = bool(getattr(model, "carries_state", False))
        if self.carries_state:
            self.model_methods = ("advance",)
        elif not hasattr(model, "advance"):
            self.language_model = Rereading(model, getattr(model, "max_length", spec.input_shape[0]))
        self.state: Any = None  # After the newest batch.
        self._parts: dict[int, Any] = {}  # After its micro-batches, by their first row.
        self.evaluation_state: Any = None

    def trial(self, spec: DataSpec) -> Trial | None:
        return Trial((torch.zeros(1, 1, dtype=torch.int64),), (1,))

    def loss(self, batch: Batch) -> Loss:
        if self.carries_state:
            before = rows_of(self.state, batch) if batch.continues else None
            outputs, state = self.language_model.advance(batch.inputs, before)
            if batch.size == batch.full_size:
                self.state = detached(state)
            else:
                self._parts[batch.first_row] = detached(state)
        else:
            outputs = self.model(batch.inputs)
        mean, count = token_loss(self.criterion, outputs, batch.targets)
        return Loss(mean, count, {"loss": MeanOver(mean.detach(), count)})

    def finish_step(self, batch: Batch, updater: Updater) -> None:
        if self._parts:
            parts = [self._parts[row] for row in sorted(self._parts)]
            self.state, self._parts = joined(parts, partial(updater.joined, batch=batch)), {}

    @property
    def evaluation_adds_up(self) -> bool:
        return self.only_sums_metrics and not self.carries_state

    def start_evaluation(self) -> None:
        super().start_evaluation()
        self.evaluation_state = None

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        if self.carries_state:
            outputs, self.evaluation_state = self.language_model.advance(
                batch.inputs, self.evaluation_state if batch.continues else None
            )
        else:
            outputs = self.model(batch.inputs)
        for watcher in self.watchers:
            watcher.see(batch, outputs)
        return measured_tokens(self.criterion, outputs, batch.targets)

    def finish_evaluation(self, metrics: dict[str, float]) -> dict[str, float]:
        return with_perplexity(metrics, in_characters=self.tokens_are_characters)

    def decode(
        self,
        prompt: Tensor,
        num_tokens: int | None = None,
        forbidden: Sequence[int] = (),
        stop: int | None = None,
        source: torch.Generator | None = None,
        *,
        temperature: NonNegative[float] = 1.0,
        top_k: Positive[int] | None = None,
        top_p: PositiveProbability[float] = 1.0,
    ) -> Iterator[Tensor]:
        """Continue each row of a prompt token by token; see dltool.decoding.sampling.sample.

        Args:
            prompt: int64 `(B, T)`.
            num_tokens: Maximum per row; None continues until all rows have ended.
            forbidden: Tokens that are never drawn, such as padding.
            stop: The token that ends a row.
            source: A generator on the CPU.
            temperature: Divisor of the scores: below 1 favours likely tokens, 0 takes the likeliest (greedy).
            top_k: Sample from the k likeliest tokens.
            top_p: Sample from the smallest set of likeliest tokens with this total probability; 1 is all tokens.

        Yields:
            The next token of each row, int64 `(B,)`.
        """
        sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, forbidden=tuple(forbidden))
        yield from sample(self.language_model, prompt, num_tokens, sampling=sampling, stop=stop, generator=source)

    def suggestion(self, spec: DataSpec) -> Suggestion:
        return Suggestion("sample", "sample")

    def state_dict(self) -> dict[str, Any]:
        return {"state": self.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        device = next(self.model.parameters()).device
        self.state = moved(state["state"], device)


def token_loss(criterion: Criterion, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor | int]:
    """The criterion over all positions `(B, T)` of outputs `(B, T, V)`; IGNORED targets are excluded."""
    return criterion(outputs.flatten(0, 1).float(), targets.flatten())


def measured_tokens(criterion: Criterion, outputs: Tensor, targets: Tensor) -> dict[str, Mean]:
    """The loss, the accuracy of the tokens, and -log p of the tokens without label smoothing."""
    outputs, targets = outputs.flatten(0, 1).float(), targets.flatten()
    mean, count = criterion(outputs, targets)
    real = targets != IGNORED
    num_real = real.sum()
    hits = (outputs.argmax(dim=1) == targets).sum()  # No token is IGNORED, so those positions never count as correct.
    loss = MeanOver(mean, count)
    nll: Mean = loss
    if not criterion.is_likelihood:
        nll = Mean(F.cross_entropy(outputs, targets, reduction="sum", ignore_index=IGNORED), num_real)
    return {"loss": loss, "accuracy": Mean(hits, num_real), "nll": nll}


def with_perplexity(metrics: dict[str, float], *, in_characters: bool) -> dict[str, float]:
    """The means of `measured_tokens`, with perplexity and bits per character in place of -log p."""
    values = dict(metrics)
    nll = values.pop("nll")
    values["perplexity"] = math.exp(nll) if nll < 700 else math.inf  # Larger values overflow.
    if in_characters:
        values["bits_per_character"] = nll / math.log(2)
    return values


def detached(state: Any) -> Any:
    """The same nested tuples, detached from the graph."""
    return state.detach() if isinstance(state, Tensor) else tuple(map(detached, state))


def rows_of(state: Any, batch: Batch) -> Any:
    """The states of a micro-batch's rows, from those of the whole batch: dimension 1 of each tensor."""
    if state is None or batch.size == batch.full_size:
        return state
    if isinstance(state, Tensor):
        return state[:, batch.first_row : batch.first_row + batch.size].contiguous()
    return tuple(rows_of(part, batch) for part in state)


def joined(states: Sequence[Any], join: Callable[[Tensor], Tensor]) -> Any:
    """The state of a whole batch from those of this process's micro-batches.

    Args:
        states: In the order of their rows.
        join: Adds the rows `(n, …)` of the other processes; see Updater.joined.
    """
    if isinstance(states[0], Tensor):
        rows = torch.cat(tuple(states), dim=1).transpose(0, 1)
        return join(rows.contiguous()).transpose(0, 1).contiguous()
    return tuple(joined(parts, join) for parts in zip(*states, strict=True))


def moved(state: Any, device: torch.device) -> Any:
    """The same nested tuples on another device."""
    if state is None:
        return None
    return state.to(device) if isinstance(state, Tensor) else tuple(moved(part, device) for part in state)
