from itertools import chain

import pytest
import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData, Split
from dltool.data.augment import Augmentation
from dltool.data.builtin import diabetes, iris
from dltool.data.source import TrainSource
from dltool.data.table_data import TableData

CPU = torch.device("cpu")
LABELS = torch.tensor([0] * 80 + [1] * 15 + [3] * 6)  # No sample has the label 2.


def source(seed=0, **fields):
    split = Split(torch.arange(101.0).unsqueeze(1), LABELS)
    return TrainSource(split, **{"device": CPU, "batch_size": 8, "seed": seed, "balanced": True, **fields})


def epoch_of(stream):
    batches = [stream.draw() for _ in range(stream.batches_per_epoch)]
    return torch.cat([b.inputs[:, 0] for b in batches]).int().tolist(), torch.cat([b.targets for b in batches])


def test_every_class_comes_as_often_and_none_of_its_samples_before_all_have_come():
    stream = source()
    seen = []
    for _ in range(4):
        samples, labels = epoch_of(stream)
        assert sorted(labels.bincount(minlength=4).tolist()) == [0, 33, 34, 34]
        for label, members in ((1, range(80, 95)), (3, range(95, 101))):
            counts = torch.tensor([samples.count(sample) for sample in members])
            assert counts.max() - counts.min() <= 1, label
        assert max(samples.count(sample) for sample in range(80)) == 1
        assert labels.equal(LABELS[samples])
        seen.append(samples)
    assert len(set(chain(*seen)) & set(range(80))) > 60  # Another part of the frequent class each epoch.
    assert seen[0] != seen[1]


@pytest.mark.parametrize("at", [0, 5, 13, 20])
def test_resumes_exactly_in_the_middle_of_an_epoch(at):
    whole = source(seed=4)
    batches = [whole.draw() for _ in range(30)]
    resumed = source(seed=4)
    resumed.draws = at
    for batch in batches[at:]:
        assert resumed.draw().inputs.equal(batch.inputs)


def test_a_sample_that_comes_twice_is_moved_anew():
    images = torch.arange(9, dtype=torch.uint8).view(1, 1, 3, 3).repeat(40, 1, 1, 1)
    split = Split(images, torch.tensor([0] * 39 + [1]))
    stream = TrainSource(
        split, device=CPU, batch_size=40, seed=0, balanced=True, augment=Augmentation(shift=2).augmenter((3, 3))
    )
    batch = stream.draw()
    assert len(batch.inputs[batch.targets == 1].unique(dim=0)) > 5


def rare(_rng):
    return RawData(Split(torch.randn(101, 2), LABELS.clamp(max=2)), None, None, "classes", ("a", "b", "c"))


def test_as_a_setting():
    data = TableData(rare, sampling="balanced", batch_size="full")
    data.prepare(0, CPU)
    counts = data.train.draw().targets.bincount()
    assert counts.max() - counts.min() <= 1
    assert data.splits["train"].targets.bincount()[0] > 50


@pytest.mark.parametrize(
    ("load", "fields", "part"), [(diabetes, {}, "needs classes"), (iris, {"shuffle": False}, "data.shuffle=false")]
)
def test_what_cannot_be_balanced(load, fields, part):
    with pytest.raises(DataError, match=part):
        TableData(load, sampling="balanced", **fields).prepare(0, CPU)
