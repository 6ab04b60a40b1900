"""The likeliest sequence that an encoder-decoder can find for a source: greedily, or by beam search."""

from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from dltool.core.spec import BEGIN, END, PAD


class EncoderDecoder(Protocol):
    """What reads one sequence and writes another; see dltool.models.transformer."""

    def encode(self, source: Tensor) -> Any: ...

    def decode(self, target_tokens: Tensor, memory: Any, state: Any = None) -> tuple[Tensor, Any]: ...

    def select(self, state: Any, rows: Tensor) -> Any: ...

    def select_memory(self, memory: Any, rows: Tensor) -> Any: ...


class Decoded(NamedTuple):
    """The sequence found for each source.

    Attributes:
        tokens: int64 `(B, U)`, without BEGIN, with END where the sequence has ended, then PAD.
        scores: float32 `(B,)`, the logarithm of each sequence's probability over its length penalty.
    """

    tokens: Tensor
    scores: Tensor


def length_penalty(length: Tensor | int, alpha: float) -> Tensor:
    """What a log-probability is divided by: (5 + length)^α / 6^α (Wu et al. 2016, arXiv:1609.08144, equation 14).

    Args:
        length: Tokens of the sequence, END among them.
        alpha: 0 divides by 1, which favours short sequences; the paper's best were 0.6 to 0.7.
    """
    return ((5 + torch.as_tensor(length, dtype=torch.float32)) / 6) ** alpha


@torch.no_grad()
def greedy_search(model: EncoderDecoder, source: Tensor, max_length: int, *, alpha: float = 0.0) -> Decoded:
    """Take the likeliest token at every step.

    Args:
        model: In evaluation mode.
        source: A batch of what the model encodes.
        max_length: Steps at most; a sequence that has not ended by then has no END.
        alpha: Of the length penalty in the scores; it changes no token.
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
    """Follow the `beam` likeliest beginnings side by side.

    The answer is the ended sequence of the largest log-probability over length penalty. A source is done when none of
    its beginnings could still become a better one, so that its answer does not depend on what else stands in the batch.
    Where none has ended after `max_length` steps, the likeliest beginning is the answer.

    Args:
        model: In evaluation mode.
        source: A batch of what the model encodes.
        max_length: Steps at most.
        beam: K, the beginnings kept.
        alpha: Of the length penalty.
    """
    batch, device = len(source), source.device
    first = torch.arange(batch, device=device)[:, None] * beam  # (B, 1): where each source's beams begin
    memory = model.select_memory(model.encode(source), torch.arange(batch, device=device).repeat_interleave(beam))
    state = None
    tokens = torch.full((batch, beam, max_length), PAD, device=device)
    last = torch.full((batch * beam, 1), BEGIN, device=device)
    scores = torch.full((batch, beam), -torch.inf, device=device)
    scores[:, 0] = 0.0  # At first all beams are the same; one stands for them.
    best_tokens, best_scores = tokens[:, 0].clone(), torch.full((batch,), -torch.inf, device=device)
    largest_penalty = length_penalty(max_length, alpha).to(device)
    for step in range(max_length):
        outputs, state = model.decode(last, memory, state)
        continued = scores[:, :, None] + log_probabilities(outputs[:, -1]).unflatten(0, (batch, beam))  # (B, K, V)
        # Of twice as many as are kept, at least K go on.
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
        # A log-probability only falls, and is divided by the largest penalty at best.
        if (best_scores >= scores[:, 0] / largest_penalty).all():
            break
    unended = best_scores.isinf()
    answers = torch.where(unended[:, None], tokens[:, 0], best_tokens)
    return Decoded(without_padding(answers), torch.where(unended, scores[:, 0] / largest_penalty, best_scores))


def log_probabilities(outputs: Tensor) -> Tensor:
    """Of each token, float32 `(N, V)`; PAD and BEGIN, which no sentence has inside, are left out."""
    scores = outputs.to(torch.float32, copy=True)
    scores[:, [PAD, BEGIN]] = -torch.inf
    return scores.log_softmax(dim=1)


def without_padding(tokens: Tensor) -> Tensor:
    """`(B, U)` without the last columns that are padding alone."""
    return tokens[:, : int((tokens != PAD).sum(dim=1).max())]
