"""Several targets per row: columns of two classes, columns of numbers, and cells that list labels."""

import numpy as np
import pytest
import torch

from dltool.core.errors import DataError
from dltool.core.spec import DataSpec
from dltool.data.arrays import check_data
from dltool.data.csv_table import csv_table
from dltool.data.fitted import relabelled
from dltool.data.table_data import TableData

RNG = torch.Generator()
ROWS = "x,rain,wind,mood,sea,degrees,tags\n" + "".join(
    f"{i}.5,{i % 2},{('no', 'yes')[i % 3 == 0]},{('calm', 'wild')[i % 4 == 0]},{'abc'[i % 3]},{i * 0.7},"
    f"{';'.join(t for t, k in (('wet', 2), ('cold', 3)) if i % k == 0)}\n"
    for i in range(60)
)


@pytest.fixture
def load(tmp_path):
    def load(text=ROWS, **fields):
        path = tmp_path / "t.csv"
        path.write_text(text, encoding="utf-8")
        names = text.partition("\n")[0].split(",")
        named = fields["target"] if isinstance(fields["target"], list) else [fields["target"]]
        return csv_table(RNG, path=str(path), drop=[n for n in names if n not in ("x", *named)], **fields)

    return load


def test_columns_of_two_classes_are_labels(load):
    raw = load(target=["rain", "wind", "mood"])
    check_data(raw)
    assert (raw.target, raw.class_names) == ("labels", ("rain", "wind", "mood=wild"))
    assert raw.train.targets.tolist() == [[i % 2, int(i % 3 == 0), int(i % 4 == 0)] for i in range(60)]
    assert any("3 labels, rain (30, 50 %), wind (20, 33.3 %)" in note for note in raw.notes)


@pytest.mark.parametrize("words", [("0", "1"), ("no", "yes"), ("False", "True"), ("f", "t"), ("0.0", "1.0")])
def test_each_spelling_of_yes_and_no(load, words):
    text = "x,a,b\n" + "".join(f"{i}.5,{words[i % 2]},{words[i % 3 == 0]}\n" for i in range(30))
    raw = load(text, target=["a", "b"])
    assert raw.class_names == ("a", "b")
    assert raw.train.targets.tolist() == [[i % 2, int(i % 3 == 0)] for i in range(30)]


def test_few_rows_of_0_and_1_are_labels_too(load):
    raw = load("x,a,b\n1,0,1\n2,1,0\n3,1,1\n", target=["a", "b"])
    assert (raw.target, raw.class_names) == ("labels", ("a", "b"))


def test_columns_of_numbers_are_several_numbers(load):
    text = "x,a,b\n" + "".join(f"{i},{i * 0.3:.2f},{i * i}\n" for i in range(40))
    raw = load(text, target=["b", "a"])
    assert (raw.target, raw.target_dim) == ("numbers", 2)
    assert raw.train.targets[3].tolist() == [9, 0.9]
    assert load(target=["rain", "degrees"], kind="numbers").target_dim == 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"target": ["rain", "degrees"]}, "the target rain has two classes, but degrees has numbers"),
        ({"target": ["rain", "sea"]}, "the target sea has more than two classes; several targets are labels"),
        ({"target": ["rain", "rain"]}, "names the column rain twice"),
        ({"target": ["rain", "wind"], "positive": "1"}, "is the positive class of one target with two classes"),
        ({"target": ["rain", "tags"], "separator": ";"}, "divides the labels of one column, but data.target names 2"),
        ({"target": "sea", "separator": ";"}, "no cell contains the separator ';'"),
        ({"target": []}, "data.target names no column"),
    ],
)
def test_what_does_not_fit_is_one_sentence(load, fields, message):
    with pytest.raises(DataError) as caught:
        load(**fields)
    assert message in caught.value.message
    assert caught.value.hint


def test_a_cell_lists_any_number_of_labels(load):
    for separator in (";", "semicolon"):
        raw = load(target="tags", separator=separator)
        check_data(raw)
        assert (raw.target, raw.class_names) == ("labels", ("cold", "wet"))
        assert raw.train.targets.tolist() == [[int(i % 3 == 0), int(i % 2 == 0)] for i in range(60)]
    assert any("20 samples without" in note for note in raw.notes)  # An empty cell is no missing one.


def test_a_missing_label_is_named_or_its_row_dropped(load):
    text = ROWS.replace("3.5,1,yes", "3.5,1,NA", 1)
    with pytest.raises(DataError, match="row 5, target wind: the cell is missing"):
        load(text, target=["rain", "wind"])
    assert len(load(text, target=["rain", "wind"], missing="drop").train) == 59


def test_other_data_has_the_labels_of_the_run(load):
    raw = load("x,tags\n1,a;b\n2,b\n3,\n", target="tags", separator=";")
    known = relabelled(raw, DataSpec((1,), "labels", ("b", "c", "a")))
    assert known.train.targets.tolist() == [[1, 0, 1], [1, 0, 0], [0, 0, 0]]
    with pytest.raises(DataError, match="has the class a, which was not in the training data"):
        relabelled(raw, DataSpec((1,), "labels", ("b", "c")))
    with pytest.raises(DataError, match="are labels, but the run was trained on classes"):
        relabelled(raw, DataSpec((1,), "classes", ("a", "b", "c")))


def test_the_spec_has_the_counts_of_the_training_split(load):
    data = TableData(lambda _: load(target=["rain", "wind"]))
    data.prepare(0, torch.device("cpu"))
    train = data.splits["train"].targets
    assert data.spec.class_counts == tuple(train.sum(0).tolist())
    assert data.spec.train_size == len(train)
    assert np.array_equal(data.trivial_prediction(torch.zeros(2, 1)), [[train[:, 0].mode().values, 0]] * 2)
