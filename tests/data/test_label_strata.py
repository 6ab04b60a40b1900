"""Several labels per sample keep their shares in a split."""

import pytest
import torch

from dltool.data.arrays import RawData, Split
from dltool.data.label_strata import fold_of_each_labelled, take_labelled
from dltool.data.splits import make_splits

LABELS = (
    torch.rand(1000, 5, generator=torch.Generator().manual_seed(0)) < torch.tensor([0.5, 0.3, 0.1, 0.02, 0.0])
).long()
ORDER = torch.randperm(1000, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("count", [0, 1, 100, 333, 1000])
def test_each_label_keeps_its_share(count: int) -> None:
    taken, rest = take_labelled(ORDER, LABELS, count)
    assert len(taken) == count
    assert sorted([*taken.tolist(), *rest.tolist()]) == list(range(1000))
    wanted = LABELS.sum(0) * (count / 1000)
    assert ((LABELS[taken].sum(0) - wanted).abs() <= 2).all()


def test_a_rare_label_is_in_each_fold() -> None:
    labels = torch.zeros(103, 2, dtype=torch.int64)
    labels[:10, 0], labels[5:60, 1] = 1, 1
    folds = fold_of_each_labelled(labels, 5, torch.randperm(103, generator=torch.Generator().manual_seed(0)))
    assert sorted(torch.bincount(folds).tolist()) == [20, 20, 21, 21, 21]
    for column, each in ((0, 2), (1, 11)):
        counts = torch.bincount(folds[labels[:, column] == 1], minlength=5)
        assert ((counts - each).abs() <= 1).all()


def test_the_splits_of_data_with_labels_are_stratified() -> None:
    raw = RawData(Split(torch.zeros(1000, 1), LABELS), None, None, "labels", tuple("abcde"))
    splits = make_splits(raw, val_fraction=0.1, test_fraction=0.2, seed=0)
    assert {name: len(split) for name, split in splits.items()} == {"train": 700, "val": 100, "test": 200}
    assert ((splits["test"].targets.sum(0) - 0.2 * LABELS.sum(0)).abs() <= 2).all()
    assert (splits["val"].targets[:, 3] == 1).any()
    again = make_splits(raw, val_fraction=0.1, test_fraction=0.2, seed=0)
    assert torch.equal(again["test"].targets, splits["test"].targets)
    folds = [
        make_splits(raw, val_fraction=0.1, test_fraction=0.2, seed=0, num_folds=4, fold=k)["test"] for k in range(4)
    ]
    assert [len(fold) for fold in folds] == [250] * 4
