"""Sequences without padding, and the batches of them."""

import numpy as np
import torch

from dltool.core.spec import BEGIN, END, IGNORED, PAD
from dltool.data.sequences import Sequences, SequenceSplit
from dltool.text.tokenizer import Encoded

CPU = torch.device("cpu")
ROWS = [[5, 6, 7], [8], [], [9, 5]]
ENCODED = Encoded(np.array([5, 6, 7, 8, 9, 5], np.int32), np.array([3, 1, 0, 2]))


def test_only_batches_are_padded() -> None:
    sequences = Sequences.of(ROWS, fill=IGNORED)
    assert sequences.rows() == ROWS
    assert (len(sequences), sequences.longest, sequences.nbytes) == (4, 3, 24)
    batch = sequences.padded(torch.tensor([3, 1, 2]), 2)
    assert batch.tolist() == [[9, 5], [8, IGNORED], [IGNORED, IGNORED]]
    assert batch.dtype == torch.int64
    assert sequences.padded(torch.tensor([1]), 9).tolist() == [[8, IGNORED, IGNORED]]  # No longer than the longest.
    assert sequences.to(CPU).padded(torch.tensor([0]), 3).tolist() == [[5, 6, 7]]


def test_the_first_tokens_of_each() -> None:
    cut = Sequences.of(ROWS, fill=IGNORED).cut(2)
    assert cut.rows() == [[5, 6], [8], [], [9, 5]]
    assert cut.padded(torch.tensor([1]), 2).tolist() == [[8, IGNORED]]


def test_texts_with_their_beginning_and_end() -> None:
    assert Sequences.encoded(ENCODED).rows() == ROWS
    assert Sequences.encoded(ENCODED, begin=BEGIN).rows() == [[BEGIN, *row] for row in ROWS]
    assert Sequences.encoded(ENCODED, end=END).rows() == [[*row, END] for row in ROWS]
    both = Sequences.encoded(ENCODED, BEGIN, END)
    assert both.rows() == [[BEGIN, *row, END] for row in ROWS]
    assert both.tokens.dtype == torch.int32


def test_a_batch_is_as_long_as_its_longest_side() -> None:
    samples = SequenceSplit(Sequences.of([[5], [5, 6], [5, 6, 7]]), Sequences.of([[2, 8, 3], [2, 3], [2]]))
    batch = samples.batch(torch.tensor([0, 1]), CPU)
    assert batch.inputs.tolist() == [[5, PAD, PAD], [5, 6, PAD]]
    assert batch.targets.tolist() == [[2, 8, 3], [2, 3, PAD]]
    assert batch.size == 2
