"""Folds, held against scikit-learn's."""

from itertools import chain

import pytest
import torch

from dltool.core.errors import DataError
from dltool.core.randomness import generator
from dltool.data.arrays import RawData, Split
from dltool.data.splits import fold_of_each, make_splits

LABELS = torch.randint(0, 4, (103,), generator=generator(0, "labels")).clamp(max=2)


def numbered(labels, target="classes", **fields):
    """Samples whose input is their own number."""
    inputs = torch.arange(len(labels), dtype=torch.float32).unsqueeze(1)
    if target == "numbers":
        return RawData(Split(inputs, labels.float().unsqueeze(1)), None, None, "numbers", **fields)
    return RawData(Split(inputs, labels), None, None, target, ("a", "b", "c"), **fields)


def numbers(split):
    return split.inputs[:, 0].int().tolist()


def cut(raw, fold=0, num_folds=5, val=0.1, seed=0):
    return make_splits(raw, val_fraction=val, test_fraction=0.2, seed=seed, num_folds=num_folds, fold=fold)


@pytest.mark.parametrize("num_folds", [2, 3, 5, 10])
def test_without_a_shuffle_the_indices_are_those_of_scikit_learn(num_folds):
    selection = pytest.importorskip("sklearn.model_selection")
    for splitter, labels in (
        (selection.StratifiedKFold(num_folds), LABELS),
        (selection.StratifiedKFold(num_folds), LABELS.sort(descending=True).values),
        (selection.KFold(num_folds), torch.zeros_like(LABELS)),
    ):
        folds = fold_of_each(labels, num_folds)
        for fold, (_, held_out) in enumerate(splitter.split(labels, labels)):
            assert (folds == fold).nonzero()[:, 0].tolist() == held_out.tolist()


@pytest.mark.parametrize("num_folds", [2, 5, 7])
def test_shuffled_folds_have_as_many_of_each_class_as_those_of_scikit_learn(num_folds):
    selection = pytest.importorskip("sklearn.model_selection")
    theirs = selection.StratifiedKFold(num_folds, shuffle=True, random_state=0).split(LABELS, LABELS)
    for fold, (_, held_out) in enumerate(theirs):
        ours = cut(numbered(LABELS), fold, num_folds)["test"].targets
        assert ours.bincount(minlength=3).tolist() == LABELS[held_out].bincount(minlength=3).tolist()


def test_split_takes_of_each_class_as_many_as_scikit_learn():
    """With as many samples in the test split; where remainders tie, scikit-learn draws lots. These do not."""
    selection = pytest.importorskip("sklearn.model_selection")
    labels = torch.tensor([0] * 61 + [1] * 28 + [2] * 11)
    _, held_out = selection.train_test_split(torch.arange(100).numpy(), test_size=20, stratify=labels, random_state=0)
    ours = make_splits(numbered(labels), val_fraction=0.0, test_fraction=0.2, seed=0)["test"].targets
    assert ours.bincount().tolist() == labels[held_out].bincount().tolist()


@pytest.mark.parametrize("target", ["classes", "numbers"])
def test_every_sample_is_held_out_once(target):
    splits = [cut(numbered(LABELS, target), fold) for fold in range(5)]
    assert sorted(chain(*(numbers(split["test"]) for split in splits))) == list(range(103))
    for split in splits:
        assert sorted(chain(*map(numbers, split.values()))) == list(range(103))
        assert len(split["val"]) == 10


def test_folds_are_a_function_of_the_split_seed_and_not_of_the_validation_split():
    raw = numbered(LABELS)
    assert numbers(cut(raw, 2, seed=3)["test"]) == numbers(cut(raw, 2, seed=3, val=0.0)["test"])
    assert numbers(cut(raw, 2, seed=3)["test"]) != numbers(cut(raw, 2, seed=4)["test"])


def test_with_an_official_test_split_the_fold_is_for_validation():
    raw = numbered(LABELS)
    official = RawData(raw.train, None, raw.train, "classes", raw.class_names)
    splits = cut(official, 1)
    assert splits["test"] is raw.train
    assert numbers(splits["val"]) == numbers(cut(raw, 1)["test"])
    assert len(splits["train"]) + len(splits["val"]) == 103


def test_rows_go_along():
    raw = numbered(LABELS)
    rows = torch.arange(103) + 2
    raw = RawData(Split(raw.train.inputs, raw.train.targets, rows), None, None, "classes", raw.class_names)
    for split in cut(raw).values():
        assert (split.rows - 2).tolist() == numbers(split)


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"num_folds": 1}, "data.num_folds=1 of 103 samples: 2 … 103"),
        ({"num_folds": 104}, "data.num_folds=104 of 103 samples"),
        ({"fold": 5}, "data.fold=5: the folds are 0 … 4"),
    ],
)
def test_folds_that_there_are_not(fields, part):
    with pytest.raises(DataError, match=part):
        cut(numbered(LABELS), **fields)


def test_data_that_is_not_split_has_no_folds():
    raw = numbered(LABELS)
    with pytest.raises(DataError, match="are not split"):
        cut(numbered(LABELS, held_out=False))
    with pytest.raises(DataError, match="has official splits"):
        cut(RawData(raw.train, raw.train, raw.train, "classes", raw.class_names))
