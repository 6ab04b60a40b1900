"""Batches of words with their context words, for word vectors."""

from collections.abc import Iterator

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.randomness import generator
from dltool.data.batch_source import BatchSource


class WindowSource(BatchSource):
    """Training batches of a corpus: each is a piece of the running text, sub-sampled and cut into blocks.

    The text is cut into pieces of `batch_size` words, in an order drawn again for each epoch. In a piece

    1. frequent words are dropped at random (`keep_probabilities`), so that the others become adjacent;
    2. each remaining word draws its window size uniformly from 1 … `window`: near words occur more
       often (Mikolov et al. 2013a, arXiv:1301.3781, section 3.2; `b = next_random % window` in word2vec.c);
    3. no window extends beyond the line of its word or beyond the piece.

    All of it is a function of (seed, draws), computed for a whole batch at once. A batch has `inputs` `(B, W + S + W)`,
    B consecutive blocks of S words with the W words before and after them, and `targets` `(B, S, 2)`, the number of
    context words of each of the S to its left and to its right; 0 and 0 for the padding of the last block.

    Args:
        tokens: int32 `(N,)`, the words of all lines, concatenated, on the device of the batches.
        lines: int32 `(N,)`, the line number of each word.
        keep: float32 `(V,)`, the probability that sub-sampling keeps each word.
        batch_size: Words of the text in a batch, before sub-sampling.
        block_size: S.
        window: W, the largest window size.
        seed: The run's seed.
    """

    unit = "tokens"

    def __init__(
        self,
        tokens: Tensor,
        lines: Tensor,
        keep: Tensor,
        *,
        batch_size: int,
        block_size: int,
        window: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.tokens = tokens
        self.lines = lines
        self.keep = keep
        self.batch_size = batch_size
        self.block_size = block_size
        self.window = window
        self.seed = seed
        self.num_pieces = self.batches_per_epoch = -(-len(tokens) // batch_size)  # Rounded up.
        self.order: tuple[int, Tensor] = (-1, torch.empty(0))  # An epoch and the order of its pieces.

    @property
    def samples_per_epoch(self) -> int:
        """Words of the text in one epoch, including those that sub-sampling drops."""
        return min(len(self.tokens), self.batches_per_epoch * self.batch_size)

    def draw(self) -> Batch:
        epoch, number = self.position(self.draws)
        place = number if self.repeats else self.draws
        if self.order[0] != epoch:
            drawn = torch.randperm(self.num_pieces, generator=generator(self.seed, "pieces", epoch))
            self.order = (epoch, drawn)
        self.draws += 1
        return self.piece(int(self.order[1][number]), generator(self.seed, "windows", place))

    def in_order(self) -> Iterator[Batch]:
        """One pass over the pieces in the order of the text, always the same."""
        for number in range(self.num_pieces):
            yield self.piece(number, generator(0, "evaluation windows", number))

    def piece(self, number: int, rng: torch.Generator) -> Batch:
        """One piece of the text as a batch, its sub-sampling and windows drawn from `rng`."""
        device = self.tokens.device
        rows = slice(number * self.batch_size, (number + 1) * self.batch_size)
        tokens, lines = self.tokens[rows], self.lines[rows]
        kept = torch.rand(len(tokens), generator=rng).to(device) < self.keep[tokens]
        tokens, lines = tokens[kept].long(), lines[kept]
        reach = torch.randint(1, self.window + 1, (len(tokens),), generator=rng).to(device)
        return in_blocks(tokens, within_lines(reach, lines), block_size=self.block_size, window=self.window)


def keep_probabilities(counts: Tensor, sample: float) -> Tensor:
    """The probability of keeping a word of relative frequency f: min(1, √(s / f) + s / f), with s = `sample`.

    As in word2vec.c; the paper has √(s / f) alone (Mikolov et al. 2013b, arXiv:1310.4546, eq. 5).

    Args:
        counts: The frequency of each token, `(V,)`.
        sample: s; 0 keeps all.

    Returns:
        float32 `(V,)`.
    """
    if sample == 0:
        return torch.ones(len(counts))
    ratio = sample * counts.sum().double() / counts.double()  # s / f; infinite for a token that never occurs.
    return (ratio.sqrt() + ratio).clamp(max=1).float()


def within_lines(reach: Tensor, lines: Tensor) -> Tensor:
    """The number of context words of each word in its line, to its left and to its right, `(N, 2)`.

    Args:
        reach: The window size of each word, `(N,)`.
        lines: The line of each word, `(N,)`, nondecreasing.
    """
    place = torch.arange(len(lines), device=lines.device)
    before = place - torch.searchsorted(lines, lines)
    after = torch.searchsorted(lines, lines, right=True) - 1 - place
    return torch.stack([torch.minimum(reach, before), torch.minimum(reach, after)], dim=1)


def in_blocks(tokens: Tensor, reach: Tensor, *, block_size: int, window: int) -> Batch:
    """Words `(N,)` with their reach `(N, 2)` as a batch of blocks, the last one padded; see WindowSource."""
    num_blocks = max(1, -(-len(tokens) // block_size))
    size = num_blocks * block_size
    padded = tokens.new_zeros(window + size + window)
    padded[window : window + len(tokens)] = tokens
    reaches = reach.new_zeros(size, 2)
    reaches[: len(reach)] = reach
    inputs = padded.unfold(0, window + block_size + window, block_size)  # (B, W + S + W)
    return Batch(inputs.contiguous(), reaches.view(num_blocks, block_size, 2), num_blocks)
