"""Windows over a corpus: within lines, sub-sampled, and a function of the seed."""

import itertools

import pytest
import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.data.window_source import WindowSource, in_blocks, keep_probabilities, within_lines

WINDOW, BLOCK = 3, 4


def source(lengths: list[int], *, keep: Tensor | None = None, batch_size: int = 50, seed: int = 0) -> WindowSource:
    """A corpus whose every word is another one: word i stands at place i."""
    total = sum(lengths)
    return WindowSource(
        torch.arange(total, dtype=torch.int32),
        torch.arange(len(lengths), dtype=torch.int32).repeat_interleave(torch.tensor(lengths)),
        torch.ones(total) if keep is None else keep,
        batch_size=batch_size,
        block_size=BLOCK,
        window=WINDOW,
        seed=seed,
    )


def windows(batch: Batch) -> list[tuple[int, list[int]]]:
    """Each word with its context, read off a batch one by one."""
    found = []
    for row, reaches in zip(batch.inputs.tolist(), batch.targets.tolist(), strict=True):
        for place, (left, right) in enumerate(reaches, start=WINDOW):
            if left or right:
                found.append((row[place], row[place - left : place] + row[place + 1 : place + 1 + right]))
    return found


def test_no_window_crosses_a_line_and_each_word_is_a_center_once() -> None:
    lengths = [1, 2, 7, 1, 30, 9]
    drawn = source(lengths)
    line = drawn.lines.tolist()
    found = windows(drawn.draw())
    assert [center for center, _ in found] == [place for place in range(50) if lengths[line[place]] > 1]
    for center, context in found:
        assert context
        assert all(line[center] == line[word] and 0 < abs(center - word) <= WINDOW for word in context)


def test_a_window_is_whole_where_its_line_is() -> None:
    reach = within_lines(torch.tensor([2, 2, 2, 3, 1]), torch.tensor([4, 4, 4, 9, 9]))
    assert reach.tolist() == [[0, 2], [1, 1], [2, 0], [0, 1], [1, 0]]


def test_the_window_shrinks_evenly() -> None:
    """In the middle of one long line each reach from 1 to W comes as often as the others."""
    reach = source([30_000], batch_size=30_000).draw().targets.flatten(0, 1)[WINDOW : 30_000 - WINDOW]
    assert (reach[:, 0] == reach[:, 1]).all()
    shares = torch.bincount(reach[:, 0], minlength=WINDOW + 1) / len(reach)
    assert shares.tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3], abs=0.01)


def test_words_left_out_let_their_neighbours_meet() -> None:
    keep = torch.ones(6)
    keep[[2, 3]] = 0
    (_, first), (_, second), *_ = windows(source([6], keep=keep).draw())
    assert 1 in first
    assert 4 in second, "what stood between 1 and 4 is gone"


def test_keep_probabilities_are_those_of_word2vec_c() -> None:
    """f = 0.9, 0.09 and 0.01 of the words with s = 0.01: √(s/f) + s/f."""
    keep = keep_probabilities(torch.tensor([0, 90, 9, 1]), 0.01)
    assert keep.tolist() == pytest.approx([1, 0.11652, 0.44444, 1], abs=1e-4)
    assert keep_probabilities(torch.tensor([0, 90, 9, 1]), 0).tolist() == [1, 1, 1, 1]


def test_sub_sampling_keeps_these_shares() -> None:
    tokens = torch.tensor([0, 1], dtype=torch.int32).repeat(20_000)
    drawn = WindowSource(
        tokens,
        torch.zeros_like(tokens),
        torch.tensor([0.25, 1.0]),
        batch_size=len(tokens),
        block_size=BLOCK,
        window=WINDOW,
        seed=1,
    ).draw()
    kept = drawn.inputs[:, WINDOW:-WINDOW][(drawn.targets > 0).any(dim=2)]
    assert int((kept == 0).sum()) == pytest.approx(5000, abs=250)
    assert int((kept == 1).sum()) == 20_000


def test_draws_are_a_function_of_seed_and_number() -> None:
    straight, resumed, other = source([9] * 40), source([9] * 40), source([9] * 40, seed=1)
    batches = [straight.draw() for _ in range(20)]
    assert straight.batches_per_epoch == 8
    resumed.draws = 13
    for batch in batches[13:]:
        again = resumed.draw()
        assert torch.equal(batch.inputs, again.inputs)
        assert torch.equal(batch.targets, again.targets)
    assert any(not torch.equal(batch.inputs, other.draw().inputs) for batch in batches)


def test_a_pass_goes_over_every_word_once_in_another_order_each_time() -> None:
    drawn = source([10] * 40)  # Whole lines in each piece.
    passes = [[sorted(center for center, _ in windows(drawn.draw())) for _ in range(8)] for _ in range(2)]
    for batches in passes:
        assert sorted(itertools.chain(*batches)) == list(range(400))
    assert passes[0] != passes[1]


def test_the_same_batches_again_and_again() -> None:
    drawn = source([9] * 40)
    drawn.keep_first_batches(2, repeat=True)
    first, second, again, _ = (drawn.draw() for _ in range(4))
    assert torch.equal(first.inputs, again.inputs)
    assert torch.equal(first.targets, again.targets)
    assert not torch.equal(first.inputs, second.inputs)


def test_a_piece_without_words_is_a_block_that_asks_for_nothing() -> None:
    batch = in_blocks(torch.zeros(0, dtype=torch.int64), torch.zeros(0, 2, dtype=torch.int64), block_size=4, window=3)
    assert batch.inputs.shape == (1, 10)
    assert not batch.targets.any()
