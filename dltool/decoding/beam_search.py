"""The most likely output sequence of an encoder-decoder for a source, by greedy or beam search."""

from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from dltool.core.spec import BEGIN, END, PAD


class EncoderDecoder(Protocol):
    """A model that reads one sequence and writes another: the interface of `tasks=("translation",)`.

    `dltool init --example translator` writes a complete one.
    """

    def __call__(self, source: Tensor, target_inputs: Tensor) -> Tensor:
        """Scores of the next token after each target token, `(B, U, V)`; `target_inputs` start with BEGIN, `(B, U)`."""
        ...

    def encode(self, source: Tensor) -> Any:
        """Encode sources, such as tokens int64 `(B, S)`, right-padded with PAD; returns what `decode` reads."""
        ...

    def decode(self, target_tokens: Tensor, memory: Any, state: Any = None) -> tuple[Tensor, Any]:
        """Scores of the next token after each of the target tokens, which continue those that the state is of.

        Args:
            target_tokens: int64 `(B, U)`.
            memory: Returned by `encode`.
            state: Returned for the tokens before; None at the beginning.

        Returns:
            Scores `(B, U, V)`, and the state after these tokens.
        """
        ...

    def select(self, state: Any, rows: Tensor) -> Any:
        """The state of some rows of the batch, int64 `(N,)`, each as often as it is listed: for beam search."""
        ...

    def select_memory(self, memory: Any, rows: Tensor) -> Any:
        """The memory of some rows of the batch, in the same way."""
        ...


class Decoded(NamedTuple):
    """The sequence found for each source.

    Attributes:
        tokens: int64 `(B, U)`, without BEGIN, with END where the sequence has ended, followed by PAD.
        scores: float32 `(B,)`, the log-probability of each sequence divided by its length penalty.
    """

    tokens: Tensor
    scores: Tensor


def length_penalty(length: Tensor | int, alpha: float) -> Tensor:
    """The divisor of a log-probability: (5 + length)^α / 6^α (Wu et al. 2016, arXiv:1609.08144, equation 14).

    Args:
        length: Tokens of the sequence, including END.
        alpha: 0 divides by 1, which favours short sequences; the best values in the paper were 0.6 to 0.7.
    """
    return ((5 + torch.as_tensor(length, dtype=torch.float32)) / 6) ** alpha


@torch.no_grad()
def greedy_search(model: EncoderDecoder, source: Tensor, max_length: int, *, alpha: float = 0.0) -> Decoded:
    """Take the most likely token at every step.

    Args:
        model: In evaluation mode.
        source: A batch of the model's encoder inputs.
        max_length: Maximum number of steps; a sequence that has not ended by then has no END.
        alpha: Exponent of the length penalty in the scores; it changes no token.
    """
    memory, state = model.encode(source), None
    num_rows = len(source)
    last = torch.full((num_rows,), BEGIN, device=source.device)
    scores = torch.zeros(num_rows, device=source.device)
    lengths = torch.zeros_like(last)
    ended = torch.zeros_like(last, dtype=torch.bool)
    tokens: list[Tensor] = []
    while len(tokens) < max_length and not ended.all():
        outputs, state = model.decode(last[:, None], memory, state)
        best = log_probabilities(outputs[:, -1]).max(dim=1)
        last = best.indices.masked_fill(ended, PAD)
        scores = scores + best.values.masked_fill(ended, 0.0)
        lengths = lengths + ~ended
        ended = ended | (last == END)
        tokens.append(last)
    return Decoded(torch.stack(tokens, dim=1), scores / length_penalty(lengths, alpha))


@torch.no_grad()
def beam_search(
    model: EncoderDecoder, source: Tensor, max_length: int, *, beam: int = 5, alpha: float = 0.6
) -> Decoded:
    """Extend the `beam` most likely prefixes in parallel.

    The result is the ended sequence with the largest log-probability divided by length penalty. A source is finished
    when none of its prefixes can still become a better one, so its result does not depend on the rest of the batch.
    If none has ended after `max_length` steps, the result is the most likely prefix.

    Args:
        model: In evaluation mode.
        source: A batch of the model's encoder inputs.
        max_length: Maximum number of steps.
        beam: K, the number of prefixes kept.
        alpha: Exponent of the length penalty.
    """
    batch, device = len(source), source.device
    first = torch.arange(batch, device=device)[:, None] * beam  # (B, 1): the first beam of each source
    memory = model.select_memory(model.encode(source), torch.arange(batch, device=device).repeat_interleave(beam))
    state = None
    tokens = torch.full((batch, beam, max_length), PAD, device=device)
    last = torch.full((batch * beam, 1), BEGIN, device=device)
    scores = torch.full((batch, beam), -torch.inf, device=device)
    scores[:, 0] = 0.0  # Initially all beams are equal; one represents them.
    best_tokens, best_scores = tokens[:, 0].clone(), torch.full((batch,), -torch.inf, device=device)
    largest_penalty = length_penalty(max_length, alpha).to(device)
    for step in range(max_length):
        outputs, state = model.decode(last, memory, state)
        continued = scores[:, :, None] + log_probabilities(outputs[:, -1]).unflatten(0, (batch, beam))  # (B, K, V)
        # Of twice as many candidates as are kept, at least K have not ended.
        best = continued.flatten(1).topk(2 * beam, dim=1)
        origins = best.indices // continued.shape[2]
        words = best.indices % continued.shape[2]
        candidates = tokens.gather(1, origins[:, :, None].expand(-1, -1, max_length))  # (B, 2K, U)
        candidates[:, :, step] = words
        ends = words == END

        penalized = (best.values / length_penalty(step + 1, alpha).to(device)).masked_fill(~ends, -torch.inf)
        ended = penalized.max(dim=1)
        better = ended.values > best_scores
        best_tokens[better] = candidates[better, ended.indices[better]]
        best_scores = torch.where(better, ended.values, best_scores)
        scores, kept = best.values.masked_fill(ends, -torch.inf).topk(beam, dim=1)
        tokens = candidates.gather(1, kept[:, :, None].expand(-1, -1, max_length))
        last = words.gather(1, kept).reshape(-1, 1)  # (B, K) -> (B·K, 1)
        state = model.select(state, (first + origins.gather(1, kept)).flatten())
        # A log-probability only decreases, and at best is divided by the largest penalty.
        if (best_scores >= scores[:, 0] / largest_penalty).all():
            break
    unended = best_scores.isinf()
    answers = torch.where(unended[:, None], tokens[:, 0], best_tokens)
    return Decoded(without_padding(answers), torch.where(unended, scores[:, 0] / largest_penalty, best_scores))


def log_probabilities(outputs: Tensor) -> Tensor:
    """The log-probability of each token, float32 `(N, V)`; PAD and BEGIN, which no sentence contains, are excluded."""
    scores = outputs.to(torch.float32, copy=True)
    scores[:, [PAD, BEGIN]] = -torch.inf
    return scores.log_softmax(dim=1)


def without_padding(tokens: Tensor) -> Tensor:
    """`(B, U)` without the last columns that contain only padding."""
    return tokens[:, : int((tokens != PAD).sum(dim=1).max())]
