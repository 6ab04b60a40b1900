"""Batches of one long text."""

import pytest
import torch

from dltool.data.stream_source import StreamSource, evaluation_batches

TOKENS = torch.arange(101, dtype=torch.int32)  # Token t is at place t.


def source(batching, tokens=TOKENS, **settings):
    return StreamSource(tokens, **{"batch_size": 4, "length": 7, "seed": 0, "batching": batching} | settings)


def test_columns_go_on_exactly():
    train = source("columns")
    assert train.batches_per_epoch == 4  # 25 tokens a column, in pieces of 7.
    columns = []
    for epoch in range(2):
        batches = [train.draw() for _ in range(train.batches_per_epoch)]
        assert [batch.continues for batch in batches] == [False, True, True, True]
        for batch in batches:
            assert torch.equal(batch.targets, batch.inputs + 1)
            assert batch.inputs.dtype == torch.int64
        columns.append(torch.cat([batch.inputs for batch in batches], dim=1))
        assert train.epoch == epoch + 1
    assert torch.equal(columns[0], columns[1])
    assert torch.equal(columns[0], torch.arange(100).view(4, 25))


def test_columns_take_no_memory_of_their_own():
    columns = source("columns").columns
    assert columns.untyped_storage().data_ptr() == TOKENS.untyped_storage().data_ptr()
    assert columns[1].tolist() == list(range(25, 51))


def test_crops_lie_within_the_text_and_are_everywhere():
    train = source("crops", seed=3)
    assert train.batches_per_epoch == 4  # 100 targets, 28 a batch.
    batches = [train.draw() for _ in range(400)]
    starts = torch.cat([batch.inputs[:, 0] for batch in batches])
    assert set(starts.tolist()) == set(range(94))  # The last crop ends with the last token as its target.
    for batch in batches:
        assert torch.equal(batch.inputs, batch.inputs[:, :1] + torch.arange(7))
        assert torch.equal(batch.targets, batch.inputs + 1)
        assert not batch.continues


@pytest.mark.parametrize("batching", ["columns", "crops"])
def test_setting_draws_resumes_in_the_middle_of_a_pass(batching):
    train, resumed, other = source(batching), source(batching), source(batching, seed=1)
    drawn = [train.draw() for _ in range(11)]
    resumed.draws = 6
    for batch in drawn[6:]:
        again = resumed.draw()
        assert torch.equal(again.inputs, batch.inputs)
        assert torch.equal(again.targets, batch.targets)
        assert again.continues == batch.continues
    assert torch.equal(other.draw().inputs, drawn[0].inputs) == (batching == "columns")


@pytest.mark.parametrize("batching", ["columns", "crops"])
def test_one_batch_again_and_again(batching):
    train = source(batching)
    train.keep_first_batches(2, repeat=True)
    drawn = [train.draw().inputs for _ in range(4)]
    assert torch.equal(drawn[0], drawn[2])
    assert torch.equal(drawn[1], drawn[3])
    assert not torch.equal(drawn[0], drawn[1])


@pytest.mark.parametrize("batching", ["columns", "crops"])
@pytest.mark.parametrize("size", [2, 3, 8, 9, 50, 101])
@pytest.mark.parametrize("batch_size", [1, 4, 32])
@pytest.mark.parametrize("length", [2, 7])
def test_evaluation_predicts_each_token_but_the_first_once(batching, size, batch_size, length):
    batches = list(evaluation_batches(TOKENS[:size], batch_size=batch_size, length=length, batching=batching))
    for batch in batches:
        assert torch.equal(batch.targets, batch.inputs + 1)
        assert batch.inputs.shape[1] <= length
        assert batch.full_size == len(batch.inputs) <= batch_size
    predicted = torch.cat([batch.targets.flatten() for batch in batches])
    assert predicted.sort().values.tolist() == list(range(1, size))
