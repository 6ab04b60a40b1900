"""Negative sampling: distinguish words of the context from random words."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import NonNegative, Positive, register
from dltool.layers.word_windows import WordPredictions


@register("loss", "negative_sampling", tasks=("word2vec",), default_for=("word2vec",))
class NegativeSampling:
    """Eq. 4 of Mikolov et al. (2013b, arXiv:1310.4546), with the sign of a loss: the mean over predictions of

        -log σ(v'·v) - Σ_k E log σ(-v'_k·v),    k words drawn with a probability ~ count^power.

    On scores a, -log σ(a) = softplus(a) - a and -log σ(-a) = softplus(a).

    All predictions of a block share the words drawn, each with the weight `num_negatives / num_drawn` of a word: the
    expectation is the same, but all scores are one matrix product (after Ji et al. 2016, arXiv:1604.04661, who share
    them within a window). As in the paper's equation, a drawn word may be the predicted one; word2vec.c skips it.

    Args:
        num_negatives: k.
        num_drawn: Words drawn for each block.
        power: 0.75 in the paper; 1 is the unigram distribution, 0 the uniform one.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        num_negatives: Positive[int] = 5,
        num_drawn: Positive[int] = 32,
        power: NonNegative[float] = 0.75,
    ) -> None:
        self.weight = num_negatives / num_drawn
        self.num_drawn = num_drawn
        self.cumulative = cumulative_noise(torch.tensor(spec.token_counts), power)

    def __call__(self, predictions: WordPredictions, outputs: nn.Embedding) -> tuple[Tensor, Tensor]:
        """The mean over the predictions, and their number."""
        vectors, words, wanted = predictions
        drawn = self.draw(len(words), words.device)
        others = outputs(torch.cat([words, drawn], dim=1))  # (B, T + K, D)
        scores = torch.bmm(others, vectors.transpose(1, 2))  # (B, T + K, S)
        positive = wanted.transpose(1, 2).to(scores.dtype)  # (B, T, S)
        per_vector = positive.sum(dim=1, keepdim=True)  # (B, 1, S)
        negative = (self.weight * per_vector).expand(-1, self.num_drawn, -1)
        terms = torch.cat([positive, negative], dim=1) * F.softplus(scores)
        count = per_vector.sum()
        total = terms.sum() - (positive * scores[:, : words.shape[1]]).sum()
        return total / count.clamp(min=1), count

    def draw(self, num_blocks: int, device: torch.device) -> Tensor:
        """Negative words `(B, K)`, from torch's default generator on the device."""
        self.cumulative = self.cumulative.to(device)  # Copies once, in the first step.
        points = torch.rand(num_blocks, self.num_drawn, device=device)
        return torch.searchsorted(self.cumulative, points, right=True)


def cumulative_noise(counts: Tensor, power: float) -> Tensor:
    """P(token ≤ i) of the distribution of the negatives, float32 `(V,)`; tokens without a count have probability 0.

    The last token with a count gets a bound above 1, so that rounding never draws a token after it.
    """
    weights = torch.where(counts > 0, counts.double() ** power, 0.0)
    cumulative = (weights.cumsum(0) / weights.sum()).float()
    cumulative[int(counts.nonzero().max()) :] = 2.0
    return cumulative
