"""Batches of padded sequences."""

import pytest
import torch

from dltool.core.spec import IGNORED, PAD
from dltool.data.arrays import Split
from dltool.data.sequence_source import SequenceSource, evaluation_batches
from dltool.data.sequences import Sequences, SequenceSplit

CPU = torch.device("cpu")
COUNT = 103


def sequences():
    """Sample i begins with the token i + 4, and is 1 … 20 tokens long; its target is as long, the label at its end."""
    lengths = torch.randint(1, 21, (COUNT,), generator=torch.Generator().manual_seed(0)).tolist()
    inputs = [[place + 4, *[1] * (length - 1)] for place, length in enumerate(lengths)]
    targets = [[*[0] * (length - 1), 5] for length in lengths]
    return SequenceSplit(Sequences.of(inputs), Sequences.of(targets, IGNORED))


def source(**settings):
    rows = torch.arange(COUNT)
    given = {"batch_size": 10, "seed": 0, "device": CPU} | settings
    return SequenceSource(Split(rows, rows), samples=sequences(), **given)


def first_tokens(batches):
    return torch.cat([batch.inputs[:, 0] for batch in batches]).tolist()


def one_pass(train):
    return [train.draw() for _ in range(train.batches_per_epoch)]


SETTINGS = [{}, {"batch_tokens": 60}, {"grouped": False}, {"shuffle": False}]


@pytest.mark.parametrize("settings", SETTINGS)
def test_each_pass_has_every_sample_once(settings):
    train = source(**settings)
    for _ in range(3):
        batches = one_pass(train)
        assert sorted(first_tokens(batches)) == list(range(4, COUNT + 4))
        for batch in batches:
            assert ((batch.inputs == PAD) == (batch.targets == IGNORED)).all()
            assert (batch.inputs != PAD).any(dim=0).all(), "a column of padding alone"
            assert batch.inputs.dtype == batch.targets.dtype == torch.int64
    assert train.epoch == 3


def test_passes_differ_and_their_number_of_batches_does_not():
    train = source(batch_tokens=60)
    first, second = ([batch.inputs.shape for batch in one_pass(train)] for _ in range(2))
    assert len(first) == len(second)
    assert sorted(first) == sorted(second)
    assert first != second
    assert first_tokens(one_pass(source())) != first_tokens(one_pass(source(seed=1)))


def test_like_lengths_lie_together_in_random_order():
    batches = one_pass(source())
    lengths = [(batch.inputs != PAD).sum(dim=1) for batch in batches]
    assert all(length.max() - length.min() <= 4 for length in lengths)
    longest = [int(length.max()) for length in lengths]
    assert longest != sorted(longest)
    filled = sum(int(length.sum()) for length in lengths)
    assert filled / sum(batch.inputs.numel() for batch in batches) > 0.85
    shuffled = one_pass(source(grouped=False))
    assert filled / sum(batch.inputs.numel() for batch in shuffled) < 0.7


def test_the_budget_of_tokens_is_kept_and_used():
    sizes = [batch.inputs.numel() for batch in one_pass(source(batch_tokens=60))]
    assert max(sizes) <= 60
    assert sum(size > 40 for size in sizes) > len(sizes) / 2
    alone = one_pass(source(batch_tokens=5))  # Longer ones are batches of their own.
    assert all(batch.inputs.numel() <= 5 or len(batch.inputs) == 1 for batch in alone)


def test_drop_last_leaves_out_others_in_each_pass():
    train = source(drop_last=True)
    dropped = []
    for _ in range(2):
        batches = one_pass(train)
        assert [len(batch.inputs) for batch in batches] == [10] * 10
        dropped.append({*range(4, COUNT + 4)} - {*first_tokens(batches)})
    assert [len(tokens) for tokens in dropped] == [3, 3]
    assert dropped[0] != dropped[1]


@pytest.mark.parametrize("settings", SETTINGS)
def test_setting_draws_resumes_in_the_middle_of_a_pass(settings):
    train, resumed = source(**settings), source(**settings)
    drawn = [train.draw() for _ in range(2 * train.batches_per_epoch)]
    resumed.draws = train.batches_per_epoch + 3
    for batch in drawn[resumed.draws :]:
        again = resumed.draw()
        assert torch.equal(again.inputs, batch.inputs)
        assert torch.equal(again.targets, batch.targets)


def test_a_copy_at_the_start_leaves_the_source_where_it_is():
    train = source()
    first = train.draw()
    train.draw()
    copied = train.copy_at_start()
    assert torch.equal(copied.draw().inputs, first.inputs)
    one_pass(copied)
    third = source()
    third.draws = 2
    assert torch.equal(train.draw().inputs, third.draw().inputs)


def test_tokens_of_a_pass():
    train = source()
    assert train.unit == "tokens"
    assert train.samples_per_epoch == int(sequences().inputs.lengths.sum())


def test_evaluation_is_in_order_and_not_longer_than_it_must_be():
    split = sequences()
    lengths = split.lengths
    batches = list(evaluation_batches(split, device=CPU, batch_size=25))
    assert first_tokens(batches) == list(range(4, COUNT + 4))
    assert [len(batch.inputs) for batch in batches] == [25, 25, 25, 25, 3]
    assert [batch.inputs.shape[1] for batch in batches] == [int(part.max()) for part in lengths.split(25)]


def test_lengths_are_those_of_the_longer_side():
    split = SequenceSplit(Sequences.of([[5], [5, 6, 7]]), Sequences.of([[2, 8, 9, 3], [2, 3]]))
    assert split.lengths.tolist() == [4, 3]
    labels = SequenceSplit(split.inputs, torch.tensor([0, 1]))
    assert labels.lengths.tolist() == [1, 3]
