"""Text from a language model, sampled one token at a time from the predicted probabilities."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from dltool.core.errors import ConfigError, RunError


class LanguageModel(Protocol):
    """A model that predicts the next token: the interface of `tasks=("language_model",)`.

    `dltool init --example language_model` writes a complete one. Of a model without `advance`, only `__call__` is used:
    see Rereading.

    Attributes:
        max_length: Maximum number of positions; None, or no such attribute, for no bound.
        carries_state: Whether training continues from the state after the previous batch, if that ends where this one
            begins (`batching="columns"`); False if the model does not have the attribute.
    """

    max_length: int | None
    carries_state: bool

    def __call__(self, tokens: Tensor) -> Tensor:
        """Scores of the next token at each position, `(B, T, V)`, for tokens int64 `(B, T)`."""
        ...

    def advance(self, tokens: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Scores of the next token after each of the tokens, which continue those that the state is of.

        Args:
            tokens: int64 `(B, T)`.
            state: Returned for the tokens before; None at the beginning of a text.

        Returns:
            Scores `(B, T, V)`, and the state after these tokens: a tensor, or nested tuples of tensors. Where
            `carries_state` is true, the rows are dimension 1 of each, `(…, B, …)`, as in torch's recurrent layers.
        """
        ...


class Rereading:
    """A language model without `advance`: it reads the whole text again for each new token.

    Args:
        model: Maps tokens `(B, T)` to scores `(B, T, V)`.
        max_length: The most tokens that it reads at once; later ones are read without the first.
    """

    carries_state = False

    def __init__(self, model: Callable[[Tensor], Tensor], max_length: int | None) -> None:
        self.model = model
        self.max_length = max_length

    def __call__(self, tokens: Tensor) -> Tensor:
        return self.model(tokens)

    def advance(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Scores after each of the tokens; the state is all tokens so far."""
        text = tokens if state is None else torch.cat((state, tokens), dim=1)
        return self.model(text)[:, -tokens.shape[1] :], text


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How a token is drawn from the scores: temperature first, then top-k, then top-p of the remaining tokens.

    Args:
        temperature: Divisor of the scores: below 1, likely tokens become likelier; 0 takes the likeliest (greedy).
        top_k: Draw among the k likeliest only (Fan et al. 2018, arXiv:1805.04833).
        top_p: Draw from the nucleus, the smallest set of likeliest tokens whose total probability is at least this, in
            (0, 1] (Holtzman et al. 2020, arXiv:1904.09751); 1 is all.
        forbidden: Tokens that are never drawn, such as padding.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    forbidden: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise ConfigError(f"temperature={self.temperature}: a number >= 0 is needed", "temperature 0 is greedy")
        if self.top_k is not None and self.top_k < 1:
            raise ConfigError(f"top_k={self.top_k}: an integer >= 1 is needed", "omit top_k to keep all tokens")
        if not 0 < self.top_p <= 1:
            raise ConfigError(f"top_p={self.top_p}: a number in (0, 1] is needed", "1 is all tokens")

    def probabilities(self, scores: Tensor) -> Tensor:
        """The probability of each token, float32 `(B, V)` on the CPU, from the model's scores `(B, V)`.

        Raises:
            RunError: If a score is NaN or infinite.
        """
        scores = scores.to("cpu", torch.float32, copy=True)
        if not scores.isfinite().all():
            raise RunError("the model's scores are NaN or infinite, so no token can be drawn")
        scores[:, list(self.forbidden)] = -torch.inf
        if self.temperature == 0:
            return torch.zeros_like(scores).scatter(1, scores.argmax(dim=1, keepdim=True), 1.0)
        # Shift the largest to 0 first: divided by a small temperature it would be infinite.
        probabilities = ((scores - scores.amax(dim=1, keepdim=True)) / self.temperature).softmax(dim=1)
        if self.top_k is not None and self.top_k < scores.shape[1]:
            likeliest = probabilities.topk(self.top_k, dim=1)
            probabilities = torch.zeros_like(probabilities).scatter(1, likeliest.indices, likeliest.values)
            probabilities = probabilities / probabilities.sum(dim=1, keepdim=True)
        if self.top_p < 1:
            ordered = probabilities.sort(dim=1, descending=True)
            before = ordered.values.cumsum(dim=1) - ordered.values  # The total of the likelier tokens.
            kept = ordered.values.masked_fill(before >= self.top_p, 0.0)
            probabilities = torch.zeros_like(probabilities).scatter(1, ordered.indices, kept)
            probabilities = probabilities / probabilities.sum(dim=1, keepdim=True)
        return probabilities

    def draw(self, scores: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """One token for each row of scores `(B, V)`, int64 `(B,)`, on their device.

        Drawn on the CPU, so that a seed gives the same token on every device with the same scores.
        """
        probabilities = self.probabilities(scores)
        return torch.multinomial(probabilities, 1, generator=generator).squeeze(1).to(scores.device)  # (B, 1) -> (B,)


@torch.no_grad()
def sample(
    model: LanguageModel,
    prompt: Tensor,
    num_tokens: int | None = None,
    *,
    sampling: Sampling | None = None,
    stop: int | None = None,
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """Continue each row of the prompt, and yield every token as it is drawn.

    A model without a bound reads each token once, and so does one with enough positions. Beyond `max_length` the
    window slides: the model reads its last `max_length` tokens again for every token, since each then has another
    position than before and the cache is invalid.

    Args:
        model: In evaluation mode, or its dropout stays active.
        prompt: int64 `(B, T)`, T at least 1; the rows are continued independently.
        num_tokens: Maximum per row; None continues until all rows have ended.
        sampling: None draws from the model's unmodified probabilities.
        stop: The token that ends a row; an ended row repeats it until all have ended.
        generator: On the CPU; None uses torch's default generator.

    Yields:
        The next token of each row, int64 `(B,)`, `stop` included.

    Raises:
        ConfigError: If the prompt is empty.
    """
    if prompt.shape[1] == 0:
        raise ConfigError("the prompt is empty", "give at least one token")
    sampling = sampling or Sampling()
    seen, state, unread = prompt, None, prompt
    ended = torch.zeros(len(prompt), dtype=torch.bool, device=prompt.device)
    num_drawn = 0
    limit = getattr(model, "max_length", None)
    while num_tokens is None or num_drawn < num_tokens:
        if limit is not None and seen.shape[1] > limit:
            seen = seen[:, -limit:]
            scores, _ = model.advance(seen)
        else:
            scores, state = model.advance(unread, state)
        tokens = sampling.draw(scores[:, -1], generator)
        if stop is not None:
            tokens = tokens.masked_fill(ended, stop)
            ended = ended | (tokens == stop)
        yield tokens
        num_drawn += 1
        if stop is not None and ended.all():
            return
        unread = tokens[:, None]  # (B,) -> (B, 1)
        if limit is not None:
            seen = torch.cat((seen, unread), dim=1)
