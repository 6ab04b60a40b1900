import pytest
import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData, Split, check_data


def table(inputs=None, targets=None, **fields):
    inputs = torch.zeros(4, 2) if inputs is None else inputs
    targets = torch.tensor([0, 1, 2, 0]) if targets is None else targets
    fields = {"target": "classes", "class_names": ("猫", "狗", "鸟"), **fields}
    return RawData(Split(inputs, targets), None, None, **fields)


def message(raw):
    with pytest.raises(DataError) as caught:
        check_data(raw)
    return caught.value.message


def test_good_data_of_every_kind_passes():
    check_data(table())
    check_data(table(inputs=torch.zeros(4, 3, 8, 8, dtype=torch.uint8)))
    check_data(table(targets=torch.zeros(4, 2), target="numbers", target_dim=2, class_names=()))
    check_data(table(targets=torch.tensor([0, 1, 1, 0]), target="binary", class_names=("no", "yes")))
    check_data(table(targets=torch.zeros(4), target="none", class_names=()))
    check_data(table(inputs=torch.zeros(4, 2).double()))
    check_data(table(targets=torch.zeros(4, 2).double(), target="numbers", target_dim=2, class_names=()))


@pytest.mark.parametrize("label", [-1, 3])
def test_label_out_of_range_names_sample_label_and_range(label):
    text = message(table(targets=torch.tensor([0, 1, label, 5]), origin="/数据/cats"))
    assert text == f"/数据/cats: train sample 2 has the label {label}, outside 0 … 2"


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_number_that_is_not_finite_names_row_and_column(value):
    inputs = torch.zeros(4, 2)
    inputs[3, 1] = value
    text = message(table(inputs=inputs, feature_names=("长", "宽")))
    assert "train row 3, column 1 (宽)" in text
    assert str(value) in text


def test_target_that_is_not_finite_names_row():
    targets = torch.tensor([[0.0], [float("nan")], [1.0], [1.0]])
    assert "train target row 1, column 0" in message(table(targets=targets, target="numbers"))


def test_empty_official_split_is_named():
    empty = Split(torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64))
    assert "val split is empty" in message(RawData(table().train, empty, None, "classes", class_names=("a", "b", "c")))


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"inputs": torch.zeros(4, 2, dtype=torch.float16)}, "float16 (4, 2)"),
        ({"inputs": torch.zeros(4, 1, 8, 8)}, "float32 (4, 1, 8, 8)"),
        ({"inputs": torch.zeros(4, 8, 8, dtype=torch.uint8)}, "uint8 (4, 8, 8)"),
        ({"targets": torch.zeros(4)}, "labels are float32 (4,)"),
        ({"targets": torch.zeros(3, dtype=torch.int64)}, "4 samples but 3 targets"),
        ({"target": "numbers", "targets": torch.zeros(4)}, "targets are float32 (4,), not float32 (N, 1)"),
        ({"target": "binary"}, "2 classes, not 3"),
    ],
)
def test_wrong_dtype_or_shape_is_described(fields, part):
    assert part in message(table(**fields))


def test_splits_of_different_sample_shapes_are_refused():
    raw = table()
    other = Split(torch.zeros(2, 5), torch.tensor([0, 1]))
    assert "test samples have the shape (5,), but train samples have (2,)" in message(
        RawData(raw.train, None, other, "classes", class_names=raw.class_names)
    )
