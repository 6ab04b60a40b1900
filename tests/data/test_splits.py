from itertools import chain

import pytest
import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData, Split
from dltool.data.splits import make_splits, stratified_sizes


def numbered(labels, target="classes", **fields):
    """Samples whose input is their own number."""
    labels = torch.as_tensor(labels)
    inputs = torch.arange(len(labels), dtype=torch.float32).unsqueeze(1)
    names = tuple(map(str, range(int(labels.max()) + 1))) if target == "classes" else ()
    targets = labels if target == "classes" else labels.float().unsqueeze(1)
    return RawData(Split(inputs, targets), None, None, target, class_names=names, **fields)


def numbers(split):
    return split.inputs[:, 0].int().tolist()


def cut(raw, val=0.1, test=0.2, seed=0):
    return make_splits(raw, val_fraction=val, test_fraction=test, seed=seed)


def test_sizes_are_exact_and_splits_are_disjoint_and_complete():
    splits = cut(numbered([0, 1, 2] * 51))
    assert {name: len(split) for name, split in splits.items()} == {"train": 107, "val": 15, "test": 31}
    assert sorted(chain(*map(numbers, splits.values()))) == list(range(153))
    for split in splits.values():
        assert numbers(split) == sorted(numbers(split))
        assert split.targets.tolist() == [number % 3 for number in numbers(split)]


def test_each_class_keeps_its_share():
    labels = [0] * 60 + [1] * 30 + [2] * 10
    splits = cut(numbered(labels))
    shares = {name: split.targets.bincount(minlength=3).tolist() for name, split in splits.items()}
    assert shares == {"train": [42, 21, 7], "val": [6, 3, 1], "test": [12, 6, 2]}


def test_largest_remainder():
    # Quotas 1.4, 1.4, 4.2 of 7: the two remainders of .4 tie, the lower label takes the seventh.
    assert stratified_sizes([2, 2, 6], 7) == [2, 1, 4]
    assert stratified_sizes([5, 0, 5], 4) == [2, 0, 2]
    assert stratified_sizes([3], 3) == [3]


def test_split_is_a_function_of_its_seed():
    raw = numbered([0, 1] * 50)
    assert numbers(cut(raw, seed=3)["test"]) == numbers(cut(raw, seed=3)["test"])
    assert numbers(cut(raw, seed=3)["test"]) != numbers(cut(raw, seed=4)["test"])


def test_test_split_does_not_depend_on_the_validation_split():
    raw = numbered([0, 1, 2] * 40)
    assert numbers(cut(raw, val=0.0)["test"]) == numbers(cut(raw, val=0.3)["test"])


def test_official_test_set_stays_whole_and_validation_comes_from_train():
    official = Split(torch.full((5, 1), -1.0), torch.zeros(5, dtype=torch.int64))
    raw = numbered([0, 1] * 50)
    splits = cut(RawData(raw.train, None, official, "classes", class_names=("a", "b")), val=0.1, test=0.5)
    assert splits["test"] is official
    assert (len(splits["train"]), len(splits["val"])) == (90, 10)
    assert not set(numbers(splits["train"])) & set(numbers(splits["val"]))


def test_official_validation_split_stays_whole():
    official = Split(torch.full((5, 1), -1.0), torch.zeros(5, dtype=torch.int64))
    raw = numbered([0, 1] * 50)
    splits = cut(RawData(raw.train, official, None, "classes", class_names=("a", "b")), val=0.5, test=0.2)
    assert splits["val"] is official
    assert (len(splits["train"]), len(splits["test"])) == (80, 20)


def test_numbers_are_split_at_random():
    splits = cut(numbered(range(100), target="numbers"))
    assert {name: len(split) for name, split in splits.items()} == {"train": 70, "val": 10, "test": 20}
    assert numbers(splits["test"]) != list(range(20))


def test_no_fraction_no_split():
    raw = numbered([0, 1])
    splits = cut(raw, val=0.0, test=0.0)
    assert list(splits) == ["train"]
    assert splits["train"] is raw.train


def test_nothing_held_out_gives_the_same_samples_three_times():
    raw = numbered([0, 1], held_out=False)
    assert cut(raw) == {"train": raw.train, "val": raw.train, "test": raw.train}


@pytest.mark.parametrize(
    ("val", "test", "key"),
    [(0.1, 0.0, "data.val_fraction"), (0.0, 0.1, "data.test_fraction"), (0.5, 0.5, "data.val_fraction")],
)
def test_fractions_that_leave_a_split_empty_are_refused(val, test, key):
    with pytest.raises(DataError, match=f"{key}=.* of 4 samples"):
        cut(numbered([0, 1, 0, 1]), val=val, test=test)
